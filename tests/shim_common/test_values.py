from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from python.protocol.patch import merge
from python.shim_common.values import difference, items, mapping, without_nulls

JSON = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


@given(OBJECTS, OBJECTS)
def test_a_difference_merged_into_what_was_gives_what_is(before: Any, after: Any) -> None:
    assert merge(before, difference(before, after)) == after


@given(OBJECTS)
def test_there_is_no_difference_between_equals(value: Any) -> None:
    assert difference(value, value) == {}


def test_nulls_are_left_out_of_objects_and_kept_in_lists() -> None:
    assert without_nulls({"a": None, "b": {"c": None}, "d": [None, {"e": None}]}) == {"b": {}, "d": [None, {"e": None}]}


def test_what_is_not_of_the_type_is_empty() -> None:
    assert (mapping([1]), items({"a": 1})) == ({}, [])
