"""The lines of a preview."""

from __future__ import annotations

import json
from typing import Any

import pytest

from python.protocol.flow import CollectionSpec
from python.protocol.patch import apply_state, merge_patch, replacement
from python.runner.preview_lines import action_line, change_line, document_lines


def test_documents_are_in_key_order_with_the_placeholder_of_a_uuid() -> None:
    collection = CollectionSpec(name="acmeCo/é", key=("/n",), uuid_ptr="/_meta/uuid")
    lines = list(document_lines(collection, {"2": b'{"n":2}', "1": b'{"n":1,"_meta":{"op":"c"}}'}))

    assert lines == [
        '["acmeCo/é",{"n":1,"_meta":{"op":"c","uuid":"DocUUIDPlaceholder-329Bb50aa48EAa9ef"}}]',
        '["acmeCo/é",{"n":2,"_meta":{"uuid":"DocUUIDPlaceholder-329Bb50aa48EAa9ef"}}]',
    ]


def test_an_action_has_a_space_after_its_comma() -> None:
    assert action_line('create "é"\nthen') == '["applied.actionDescription", "create \\"é\\"\\nthen"]'


@pytest.mark.parametrize(
    ("before", "patches", "printed"),
    [
        ({}, [{"a": 1}, {"b": None}], {"updated": {"a": 1, "b": None}, "mergePatch": True}),
        ({"a": {"c": 2}}, [{"a": None}], {"updated": {"a": None}, "mergePatch": True}),
        ({"a": {"c": 2}}, [{"a": None}, {"a": {"b": 1}}], {"updated": {"a": {"b": 1}}}),
        ({"a": {"c": 2}}, [{"a": 5}, {"a": {"b": 1}}], {"updated": {"a": {"b": 1}}}),
    ],
)
def test_the_change_of_the_state_is_a_patch_where_one_says_it(
    before: dict[str, Any], patches: list[dict[str, Any]], printed: dict[str, Any]
) -> None:
    states = [merge_patch(patch) for patch in patches]

    assert json.loads(change_line(states, before, _folded(states, before))) == ["connectorState", printed]


def test_a_replaced_state_is_printed_whole() -> None:
    states = [merge_patch({"a": 1}), replacement({"b": 2})]

    assert json.loads(change_line(states, {"c": 3}, _folded(states, {"c": 3}))) == [
        "connectorState",
        {"updated": {"b": 2}},
    ]


def _folded(states: list[Any], before: object) -> object:
    for state in states:
        before = apply_state(before, state)
    return before
