from __future__ import annotations

from typing import Any

import pytest

from python.importing.binding_rules import binding_pairs, path_of
from python.importing.comparing import compare
from python.importing.snapshot_files import of_value


def binding(name: str, **resource: Any) -> dict[str, Any]:
    return {"recommendedName": name, "resourceConfig": resource, "key": ["/id"]}


def matched(old: list[Any], new: list[Any], *pointers: str) -> list[tuple[str | None, str | None]]:
    pairs = binding_pairs(old, new, (pointers, pointers))
    return [(name(pair.old), name(pair.new)) for pair in pairs]


def name(binding: Any) -> str | None:
    return binding and str(binding["recommendedName"])


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        ({"schema": "public", "table": "users"}, ("public", "users")),
        ({"table": "users"}, ("users",)),
        ({"schema": None, "table": "users"}, ("users",)),
        ({}, ("said",)),
    ],
)
def test_a_path_is_what_the_pointers_lead_to_or_else_what_is_said(resource: Any, path: tuple[str, ...]) -> None:
    assert path_of({"resourceConfig": resource, "resourcePath": ["said"]}, ["/schema", "/table"]) == path
    assert path_of({"recommendedName": "users"}, []) == ("users",)


def test_bindings_match_by_path_whatever_they_are_called() -> None:
    old = [binding("a", stream="x"), binding("b", stream="y")]
    new = [binding("b", stream="x"), binding("a", stream="y")]

    assert matched(old, new, "/stream") == [("a", "b"), ("b", "a")]


def test_without_the_path_they_match_by_name_and_the_rest_came_or_went() -> None:
    old = [binding("a", stream="x"), binding("gone", stream="z")]
    new = [binding("new", stream="w"), binding("a", stream="y")]

    assert matched(old, new, "/stream") == [("a", "a"), ("gone", None), (None, "new")]


def test_two_bindings_of_one_path_are_both_compared() -> None:
    same = [binding("a", stream="x"), binding("b", stream="x")]

    assert matched(same, same, "/stream") == [("a", "a"), ("b", "b")]
    assert matched(same, same[:1], "/stream") == [("a", "a"), ("b", None)]


def test_other_pointers_do_not_make_other_bindings_where_the_paths_stay() -> None:
    spec = {"protocol": 3032023, "resourcePathPointers": ["/stream"]}
    discovered = [binding("a", stream="x")]
    more = {**spec, "resourcePathPointers": ["/namespace", "/stream"]}
    sides = [of_value("x", {"spec": each, "discovered": discovered}) for each in (spec, more)]
    found = compare(sides[0], sides[1])

    assert [each.rule for each in found.differences] == ["spec-path-pointers-changed"]
