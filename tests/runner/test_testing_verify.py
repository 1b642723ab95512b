"""What a test wants, held against what there is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from python.protocol import document
from python.protocol.flow import CollectionSpec
from python.runner.collector import Collector
from python.runner.combiner import ViolationError
from python.runner.testing_verify import Wanted, contents, differences

SUMMED = {"type": "integer", "reduce": {"strategy": "sum"}}
SCHEMA = {
    "type": "object",
    "reduce": {"strategy": "merge"},
    "properties": {"id": {"type": "integer"}, "n": SUMMED},
    "required": ["id"],
}


def collector(schema: Any = SCHEMA) -> Collector:
    return Collector(CollectionSpec(name="a/b", key=("/id",), write_schema=document.encode(schema)))  # type: ignore[arg-type] # bytes do


def compared(wanted: list[Any], found: list[Any]) -> list[str]:
    there = contents(collector(True), [document.encode(doc) for doc in found])
    return list(differences([Wanted(doc, ["/id"]) for doc in wanted], there, ["/id"]))


def test_documents_are_fully_reduced_by_key_and_in_key_order() -> None:
    found = contents(collector(), [b'{"id":2,"n":1}', b'{"id":1,"n":5}', b'{"id":2,"n":2}'])

    assert [document.decode(doc) for doc in found.values()] == [{"id": 1, "n": 5}, {"id": 2, "n": 3}]


def test_a_deleted_document_is_not_there() -> None:
    deletable = {**SCHEMA, "if": {"required": ["gone"]}, "then": {"reduce": {"strategy": "merge", "delete": True}}}

    assert contents(collector(deletable), [b'{"id":1,"n":5}', b'{"id":1,"gone":true}']) == {}


def test_an_invalid_document_is_told() -> None:
    with pytest.raises(ViolationError, match="violates"):
        contents(collector(), [b'{"id":"x"}'])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"id": 1}, {"id": 1, "more": 2}),
        ({"id": 1, "a": {"b": 1}}, {"id": 1, "a": {"b": 1, "c": 2}}),
        ({"id": 1, "a": [{"b": 1}, 2]}, {"id": 1, "a": [{"b": 1, "c": 2}, 2]}),
        ({"id": 1, "n": 200}, {"id": 1, "n": 200.0}),
        ({"id": 1, "n": 0.1}, {"id": 1, "n": Decimal("0.10")}),
        ({"id": 1, "n": None}, {"id": 1, "n": None}),
    ],
)
def test_what_is_wanted_is_a_subset(wanted: Any, found: Any) -> None:
    assert compared([wanted], [found]) == []


@pytest.mark.parametrize(
    ("wanted", "found", "line"),
    [
        ({"id": 1, "a": {"b/c": 1}}, {"id": 1, "a": {"b/c": 2}}, "[1] /a/b~1c: want 1, got 2"),
        ({"id": 1, "a": 1}, {"id": 1}, "[1] /a: want 1, got nothing"),
        ({"id": 1, "a": None}, {"id": 1}, "[1] /a: want null, got nothing"),
        ({"id": 1, "a": [1]}, {"id": 1, "a": [1, 2]}, "[1] /a: want [1], got [1,2]"),
        ({"id": 1, "a": [1, 3]}, {"id": 1, "a": [1, 2]}, "[1] /a/1: want 3, got 2"),
        ({"id": 1, "a": 1}, {"id": 1, "a": True}, "[1] /a: want 1, got true"),
        ({"id": 1, "a": 2**64 + 1}, {"id": 1, "a": 2**64}, f"[1] /a: want {2**64 + 1}, got {2**64}"),
        ({"id": 1, "a": {}}, {"id": 1, "a": "x" * 400}, '[1] /a: want {}, got "' + "x" * 299 + "…"),
    ],
)
def test_each_place_that_differs_is_told(wanted: Any, found: Any, line: str) -> None:
    assert compared([wanted], [found]) == [line]


def test_missing_and_unexpected_documents_are_told_by_key() -> None:
    lines = compared([{"id": 1}, {"id": 2, "n": 1}], [{"id": 1}, {"id": 3}])

    assert lines == ['[2] is missing: want {"id":2,"n":1}', '[3] is not expected: got {"id":3}']


def test_documents_without_keys_are_compared_by_place() -> None:
    assert compared([{"n": 1}, {"n": 2}], [{"id": 7, "n": 1}, {"id": 8, "n": 3}]) == ["[8] /n: want 2, got 3"]
    assert compared([{"n": 1}], [{"id": 7, "n": 1}, {"id": 8}]) == ['[8] is not expected: got {"id":8}']
