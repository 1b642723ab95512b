from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.protocol.flow import ConnectorState
from python.protocol.patch import apply_state, difference, merge, merge_patch, replacement, without_nulls
from tests.protocol.strategies import json_values

JSON = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


@pytest.mark.parametrize(
    ("original", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_rfc_7396(original: Any, patch: Any, result: Any) -> None:
    assert merge(original, patch) == result


@given(json_values, json_values)
def test_merging_changes_neither_side(target: object, patch: object) -> None:
    before = (repr(target), repr(patch))

    merge(target, patch)

    assert (repr(target), repr(patch)) == before


@given(json_values, json_values)
def test_merging_again_changes_nothing(target: object, patch: object) -> None:
    once = merge(target, patch)

    assert merge(once, patch) == once


def test_a_patch_is_merged_into_the_stored_state() -> None:
    update = merge_patch({"a": {"cursor": 2}, "gone": None})

    assert update == ConnectorState(updated=msgspec.Raw(b'{"a":{"cursor":2},"gone":null}'), merge_patch=True)
    assert apply_state({"a": {"cursor": 1, "id": 7}, "gone": 1}, update) == {"a": {"cursor": 2, "id": 7}}


def test_a_replacement_replaces_all_and_its_nulls_do_not_survive() -> None:
    update = replacement({"b": 1, "c": None})

    assert not update.merge_patch
    assert apply_state({"a": 1}, update) == {"b": 1}


@given(OBJECTS, OBJECTS)
def test_a_difference_merged_into_what_was_gives_what_is(before: Any, after: Any) -> None:
    assert merge(before, difference(before, after)) == after


@given(OBJECTS)
def test_there_is_no_difference_between_equals(value: Any) -> None:
    assert difference(value, value) == {}


def test_nulls_are_left_out_of_objects_and_kept_in_lists() -> None:
    assert without_nulls({"a": None, "b": {"c": None}, "d": [None, {"e": None}]}) == {"b": {}, "d": [None, {"e": None}]}
