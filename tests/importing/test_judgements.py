"""What the classifier says of schemas, held against a validator: a change that refuses a value is never harmless."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
from hypothesis import event, given, settings
from hypothesis import strategies as st

from python.importing.comparing import Comparison, compare
from python.importing.rule import Level
from python.importing.snapshot_files import of_value

TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]
LEAVES = st.sampled_from([None, True, 0, 1, 2.5, 10, "", "a", "abc", "2024-01-01"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=2),
    max_leaves=4,
)


def limits() -> st.SearchStrategy[dict[str, Any]]:
    optional: dict[str, st.SearchStrategy[Any]] = {
        "minimum": st.integers(0, 3),
        "maximum": st.integers(1, 10),
        "exclusiveMinimum": st.integers(0, 3),
        "multipleOf": st.sampled_from([1, 2, 5]),
        "minLength": st.integers(0, 2),
        "maxLength": st.integers(1, 3),
        "pattern": st.sampled_from(["^a", "c$"]),
        "minItems": st.integers(0, 1),
        "uniqueItems": st.booleans(),
        "enum": st.lists(LEAVES, min_size=1, max_size=3),
        "const": LEAVES,
        "type": st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True),
    }
    keys = st.lists(st.sampled_from(sorted(optional)), max_size=2, unique=True)
    return keys.flatmap(lambda names: st.fixed_dictionaries({name: optional[name] for name in names}))


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    members = st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=2)
    some = st.lists(inner, min_size=1, max_size=3)
    names = st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True)
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": members},
        optional={"required": names, "additionalProperties": st.booleans() | inner},
    )
    return st.one_of(
        objects,
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.builds(lambda parts, base: {**base, "anyOf": parts}, some, limits()),
        st.builds(lambda parts, base: {**base, "allOf": parts}, some, limits()),
        st.builds(lambda part: {"not": part}, inner),
        st.builds(lambda parts, base: {**base, "oneOf": parts}, st.lists(limits(), min_size=1, max_size=3), limits()),
    )


SCHEMAS = st.recursive(limits(), nested, max_leaves=4)


def compared(old: Any, new: Any) -> Comparison:
    wrapped = ({"type": "object", "properties": {"x": each}} for each in (old, new))
    return compare(*(of_value("x", {"spec": {"configSchema": each}}) for each in wrapped))


_COIN: st.SearchStrategy[bool] = st.booleans()
_PLACES: st.SearchStrategy[int] = st.integers(0, 100)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two schemas of which one comes from the other by one change, at the root or below."""
    old: dict[str, Any] = draw(SCHEMAS)
    new = changed(draw, old)
    return (new, old) if draw(_COIN) else (old, new)


def changed(draw: st.DrawFn, schema: Any) -> Any:  # noqa: PLR0911 -- one for each kind of change
    if not isinstance(schema, dict):
        return draw(SCHEMAS)
    inner = [name for name in ("items", "not", "additionalProperties") if isinstance(schema.get(name), dict)]
    inner += [name for name in ("properties", "anyOf", "allOf", "oneOf") if schema.get(name)]
    deeper = draw(_COIN)
    if inner and deeper:
        name = inner[draw(_PLACES) % len(inner)]
        part = schema[name]
        if name == "properties":
            member = sorted(part)[draw(_PLACES) % len(part)]
            return {**schema, name: {**part, member: changed(draw, part[member])}}
        if isinstance(part, list):
            return {**schema, name: [changed(draw, part[0]), *part[1:]]}
        return {**schema, name: changed(draw, part)}
    dropping, growing = draw(_COIN), draw(_COIN)
    if growing and "oneOf" in schema:
        return {**schema, "oneOf": [*schema["oneOf"], draw(limits())]}
    if growing and isinstance(schema.get("additionalProperties"), dict):
        return {**schema, "properties": {**schema.get("properties", {}), "c": draw(SCHEMAS)}}
    if schema and dropping:
        gone = sorted(schema)[draw(_PLACES) % len(schema)]
        return {name: value for name, value in schema.items() if name != gone}
    return {**schema, **draw(limits())}


@settings(max_examples=150, deadline=None)
@given(pair=pairs(), values=st.lists(VALUES, min_size=5, max_size=10))
def test_where_a_value_is_refused_that_was_taken_the_change_is_major(pair: tuple[Any, Any], values: list[Any]) -> None:
    old, new = pair
    found = compared(old, new)
    before, after = jsonschema_rs.validator_for(old), jsonschema_rs.validator_for(new)
    refused = [value for value in values if before.is_valid(value) and not after.is_valid(value)]

    event(f"level {found.level and found.level.word}")
    event(f"refused {bool(refused)}")
    if refused:
        assert found.level is Level.MAJOR, refused


@settings(max_examples=100, deadline=None)
@given(pair=pairs(), value=VALUES)
def test_where_nothing_differs_the_same_values_are_taken(pair: tuple[Any, Any], value: Any) -> None:
    if compared(*pair).differences == ():
        taken = [jsonschema_rs.validator_for(each).is_valid(value) for each in pair]
        assert taken[0] == taken[1]
