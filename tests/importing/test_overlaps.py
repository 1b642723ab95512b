from __future__ import annotations

from typing import Any

import pytest

from python.importing.nodes import ANYTHING
from python.importing.overlaps import ALTERNATIVES_MAX, overlapping
from python.importing.schemas import node_of


def shared(*parts: Any) -> int:
    return len(overlapping([node_of(part) for part in parts], ANYTHING))


def way(name: str, *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": {"auth": {"const": name}, "x": {"type": "string"}}, "required": [*required]}


OPEN = {"type": "object", "properties": {"a": {}}}
CLOSED = {**OPEN, "additionalProperties": False}


@pytest.mark.parametrize(
    "parts",
    [
        [{"type": "string"}, {"type": "integer"}, {"type": "null"}],
        [{"const": "a"}, {"const": "b"}, {"enum": ["c", 1]}],
        [way("token"), way("oauth")],
        [way("token", "auth"), {"type": "object", "properties": {"auth": {"type": "integer"}}}],
        [CLOSED, {"type": "object", "required": ["b"]}],
        [{"anyOf": [{"type": "string"}, {"type": "integer"}]}, {"anyOf": [{"type": "array"}, {"type": "null"}]}],
        [{"type": "string"}],
    ],
)
def test_alternatives_that_share_no_value_are_told_apart(parts: list[Any]) -> None:
    assert shared(*parts) == 0


@pytest.mark.parametrize(
    "parts",
    [
        [{"type": "number"}, {"type": "integer"}],
        [{"type": "string"}, {"type": "string", "format": "date"}],
        [{"type": ["string", "null"]}, {"type": ["integer", "null"]}],
        [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}],
        [{"enum": ["a", None]}, {"enum": ["b", None]}],
        [{}, {"const": True}],
        [OPEN, {"type": "object", "required": ["b"]}],
        [CLOSED, {"type": "object", "required": ["a"]}],
        [
            {"type": "object", "properties": {"a": {"type": "string"}}},
            {"type": "object", "properties": {"a": {"type": "integer"}}},
        ],
        [{"anyOf": [{"type": "string"}, {"type": "integer"}]}, {"anyOf": [{"type": "array"}, {"type": "string"}]}],
    ],
)
def test_alternatives_that_may_share_a_value_are_found(parts: list[Any]) -> None:
    assert shared(*parts) == len(parts)


def test_what_shares_nothing_does_not_count() -> None:
    strings = [{"type": "string"}, {"type": "string", "format": "date"}]

    assert overlapping([node_of(each) for each in [*strings, {"type": "null"}]], ANYTHING) == overlapping(
        [node_of(each) for each in strings], ANYTHING
    )


def test_neither_order_nor_notes_nor_a_type_spelled_around_makes_a_difference() -> None:
    one = [{"required": ["a"]}, {"required": ["b"], "default": {"b": 1}}]
    other = [{"type": "object", "required": ["b"]}, {"type": "object", "required": ["a"]}]
    around = node_of({"type": "object"})

    assert overlapping([node_of(each) for each in one], around) == overlapping(
        [node_of(each) for each in other], around
    )


def test_more_alternatives_than_are_held_against_each_other_all_count() -> None:
    many = [{"const": number} for number in range(ALTERNATIVES_MAX + 1)]

    assert shared(*many[:-1]) == 0
    assert shared(*many) == len(many)
