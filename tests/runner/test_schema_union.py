from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.runner.schema_union import union

scalars = st.one_of(
    st.sampled_from(
        [True, False, {}, {"type": "null"}, {"type": ["null", "string"]}, {"enum": [1, "a"]}, {"const": 2}]
    ),
    st.builds(
        lambda low, high: {"type": "integer", "minimum": low, "maximum": high}, st.integers(0, 4), st.integers(0, 4)
    ),
    st.builds(lambda low: {"minimum": low}, st.integers(0, 4)),
    st.builds(lambda length: {"type": "string", "maxLength": length}, st.integers(0, 3)),
    st.just({"type": "number", "allOf": [{"maximum": 1}]}),
)
names = st.sampled_from("ab")
schemas = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["object", ["object", "null"]])},
            optional={
                "properties": st.dictionaries(names, inner, max_size=2),
                "required": st.lists(names, max_size=2, unique=True),
                "additionalProperties": inner,
                "patternProperties": st.dictionaries(names, inner, max_size=1),
            },
        ),
        st.fixed_dictionaries({"type": st.just("array")}, optional={"items": inner, "maxItems": st.integers(0, 2)}),
    ),
    max_leaves=4,
)
values = st.recursive(
    st.one_of(st.none(), st.integers(0, 4), st.text("a", max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=4,
)


@given(one=schemas, other=schemas, value=values)
def test_what_either_schema_admits_the_union_admits(one: Any, other: Any, value: Any) -> None:
    united = jsonschema_rs.Draft202012Validator(union(one, other))
    either = any(jsonschema_rs.Draft202012Validator(schema).is_valid(value) for schema in (one, other))
    assert united.is_valid(value) or not either


@pytest.mark.parametrize(
    ("one", "other", "result"),
    [
        ({"type": "integer"}, {"type": "number"}, {"type": "number"}),
        ({"type": "integer", "minimum": 1}, {"type": "null"}, {"type": ["null", "integer"], "minimum": 1}),
        ({"minimum": 1, "maximum": 4}, {"minimum": 0, "maximum": 9}, {"minimum": 0, "maximum": 9}),
        ({"enum": [1, 2]}, {"const": 3}, {"enum": [1, 2, 3]}),
        ({"type": "string", "format": "date"}, {"type": "string"}, {"type": "string"}),
        ({"type": "string", "title": "t"}, {"type": "string", "title": "t"}, {"type": "string", "title": "t"}),
        (False, {"type": "null"}, {"type": "null"}),
    ],
)
def test_a_union_is_as_narrow_as_its_parts_allow(one: Any, other: Any, result: Any) -> None:
    assert union(one, other) == result


def test_closed_objects_stay_closed() -> None:
    closed = {"type": "object", "additionalProperties": False}
    one = {**closed, "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    other = {**closed, "properties": {"a": {"type": "string"}, "b": {"type": "null"}}, "required": ["a", "b"]}
    assert union(one, other) == {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": ["integer", "string"]}, "b": {"type": "null"}},
        "additionalProperties": False,
    }
