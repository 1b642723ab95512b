from __future__ import annotations

from typing import Any

import pytest

from python.importing.comparing import compare
from python.importing.snapshot_files import of_value


def found(old: Any, new: Any) -> list[tuple[str, str]]:
    """The rules and places of what differs between two configs whose member `a` has these schemas."""
    sides = [of_value("x", {"spec": {"configSchema": {"properties": {"a": each}}}}) for each in (old, new)]
    return [(each.rule, each.pointer) for each in compare(sides[0], sides[1]).differences]


def way(name: str | None, **members: Any) -> dict[str, Any]:
    fixed = {"auth": {"const": name}} if name else {}
    return {"type": "object", "properties": {**fixed, **members}}


STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def test_one_way_to_write_it_that_becomes_one_of_two_stays() -> None:
    before = way("token", token=STRING)
    after = {"oneOf": [way("oauth", id=STRING), before]}

    assert found(before, after) == [("config-alternative-added", "/a")]
    assert found(after, before) == [("config-alternative-removed", "/a")]


def test_alternatives_are_compared_with_those_of_the_same_constant() -> None:
    before = {"oneOf": [way("token", token=STRING), way("oauth", id=STRING)]}
    after = {"oneOf": [way("oauth", id=INTEGER), way("token", token=STRING, more=STRING)]}

    assert found(before, after) == [("config-type-changed", "/a/id"), ("config-field-added", "/a/more")]


def test_alternatives_without_a_constant_are_compared_by_their_types() -> None:
    before = {"anyOf": [{"type": "string", "pattern": "^a"}, {"type": "string", "pattern": "^b"}, way(None, x=STRING)]}
    after = {"anyOf": [way(None, x=INTEGER), {"type": "string", "pattern": "^b"}, {"type": "string", "pattern": "^a"}]}

    assert found(before, after) == [("config-type-changed", "/a/x")]


def test_what_members_around_alternatives_say_holds_for_each() -> None:
    ways = {"oneOf": [way("token", token=STRING), way("oauth", id=STRING)]}
    before, after = ({**ways, "properties": {"host": each}} for each in (STRING, {**STRING, "pattern": "^h"}))

    assert found(before, after) == [("config-pattern-tightened", "/a/host")]


def test_another_type_hides_what_else_differs_there() -> None:
    before = {"type": "object", "properties": {"x": STRING}, "required": ["x"]}

    assert found(before, {"type": "string", "format": "date"}) == [("config-type-changed", "/a")]


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "array", "items": {"x": 1}}, "/a/-"),
        ({"type": "object", "additionalProperties": {"x": 1}}, "/a/*"),
        ({"type": "object", "properties": {"b/c": {"x": 1}}}, "/a/b~1c"),
        ({"allOf": [{"type": "array", "items": {"type": "array", "items": {"x": 1}}}]}, "/a/-/-"),
    ],
)
def test_each_place_has_its_pointer(schema: Any, place: str) -> None:
    def filled(value: Any, part: Any) -> Any:
        if value == {"x": 1}:
            return part
        if isinstance(value, dict):
            return {name: filled(member, part) for name, member in value.items()}
        return [filled(item, part) for item in value] if isinstance(value, list) else value

    assert found(filled(schema, STRING), filled(schema, INTEGER)) == [("config-type-changed", place)]
