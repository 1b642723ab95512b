from typing import Any

import pytest

from python.runner.validate import Validator


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer"}, 2**70, 1.5),
        ({"type": "integer"}, 1.0, "1"),
        ({"format": "date-time"}, "2020-01-01T00:00:00Z", "yesterday"),
        ({"format": "date"}, "2020-02-29", "2021-02-29"),
        ({"format": "integer"}, "-12", "1.5"),
        ({"format": "number"}, "1.5e3", "one"),
        ({"format": "number"}, "NaN", "nan?"),
        ({"prefixItems": [{"type": "integer"}]}, [1, "x"], ["x"]),
        ({"items": [{"type": "integer"}], "additionalItems": False}, [1], [1, 2]),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "dependentRequired": {"a": ["b"]}}, {}, {"a": 1}),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"maxLength": 1}}}, "x", "xx"),
    ],
)
def test_schemas_are_read_as_flow_reads_them(schema: Any, good: Any, bad: Any) -> None:
    validator = Validator(schema)
    assert validator.is_valid(good)
    assert not validator.is_valid(bad)


def test_unknown_keywords_and_formats_are_ignored() -> None:
    assert Validator({"x-infer-schema": True, "secret": 1, "format": "of my own"}).is_valid("anything")


def test_what_is_valid_has_no_violation() -> None:
    assert Validator({}).violation({"a": 1}) is None


@pytest.mark.parametrize(
    ("schema", "value", "sentence"),
    [
        ({"required": ["a"]}, {}, '/: "a" is a required property (keyword `required`)'),
        ({"properties": {"a": {"maximum": 3}}}, {"a": 4}, "/a: 4 is greater than the maximum of 3 (keyword `maximum`)"),
        ({"items": {"enum": [1, 2]}}, [3], "/0: 3 is not one of 1 or 2 (keyword `enum`)"),
    ],
)
def test_a_violation_says_where_what_came_and_what_is_wanted(schema: Any, value: Any, sentence: str) -> None:
    assert str(Validator(schema).violation(value)) == sentence
