from __future__ import annotations

from typing import Any

import pytest

from python.importing.scaffold.examples import FILL_IN, Example, example

TEXT = {"type": "string"}


def of(declared: dict[str, Any], **whole: Any) -> Example:
    """The example of a config with the one required property x."""
    return example({"type": "object", "required": ["x"], "properties": {"x": declared}, **whole})


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ({"const": "a", "default": "b"}, "a"),
        ({**TEXT, "default": "b", "enum": ["c"]}, "b"),
        ({**TEXT, "enum": ["c", "d"], "examples": ["e"]}, "c"),
        ({**TEXT, "examples": ["e", "f"]}, "e"),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": ["null", "number"]}, 1),
        ({"type": "boolean"}, False),
        ({"type": "array", "items": TEXT}, []),
        ({**TEXT, "format": "date-time"}, "2024-01-01T00:00:00Z"),
        ({**TEXT, "format": "date-time", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}, "2024-01-01"),
        ({"properties": {"y": {"default": 1}, "z": TEXT}}, {"y": 1}),
        ({"type": "array", "minItems": 1, "items": {"default": 2}}, [2]),
    ],
)
def test_a_value_is_what_the_schema_gives_itself(declared: dict[str, Any], value: Any) -> None:
    assert of(declared) == Example({"x": value})


@pytest.mark.parametrize(
    "declared",
    [
        TEXT,
        {},
        {**TEXT, "secret": True, "examples": ["a secret of somebody's"]},
        {**TEXT, "airbyte_secret": True, "format": "date"},
        {**TEXT, "format": "date", "pattern": "^Q[1-4]$"},
    ],
)
def test_what_only_a_person_knows_is_a_gap(declared: dict[str, Any]) -> None:
    assert of(declared) == Example({"x": FILL_IN}, ("/x",))


def test_what_is_not_required_is_left_out_but_for_defaults() -> None:
    properties = {"a": TEXT, "b": {"default": 0}, "c": {"default": True, "advanced": True}, "d": {"default": None}}

    assert example({"properties": properties}) == Example({"b": 0})


def test_the_choice_with_the_fewest_gaps_is_taken_and_keeps_its_discriminator() -> None:
    choices = [
        {"type": "object", "required": ["kind", "key"], "properties": {"kind": {"const": "key"}, "key": TEXT}},
        {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "open"}}},
    ]

    assert of({"type": "object", "oneOf": choices}) == Example({"x": {"kind": "open"}})
    assert of({"anyOf": [{"type": "null"}, {"type": "integer"}]}) == Example({"x": 1})


def test_gaps_are_told_by_their_place() -> None:
    deep = {"type": "array", "minItems": 1, "items": {"required": ["a/b"], "properties": {"a/b": TEXT}}}

    assert of(deep).gaps == ("/x/0/a~1b",)


def test_references_are_followed_and_a_schema_in_itself_ends() -> None:
    tree = {"type": "object", "required": ["left"], "properties": {"left": {"$ref": "#/$defs/tree"}}}

    assert of({"$ref": "#/$defs/n"}, **{"$defs": {"n": {"type": "integer"}}}) == Example({"x": 1})
    assert of({"$ref": "#/$defs/tree"}, **{"$defs": {"tree": tree}}).gaps == ()
    assert of({"$ref": "#/$defs/loop"}, **{"$defs": {"loop": {"$ref": "#/$defs/loop"}}}).value == {"x": FILL_IN}


@pytest.mark.parametrize("schema", [{}, {"properties": []}, {"required": ["x"]}, {"oneOf": []}, {"type": "object"}])
def test_a_schema_that_says_nothing_gives_an_empty_config(schema: dict[str, Any]) -> None:
    assert example(schema) == Example({})
