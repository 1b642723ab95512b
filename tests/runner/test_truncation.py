"""What is cut off large documents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.protocol.flow import SerPolicy
from python.runner.truncation import Truncation, truncation_of

POLICY = SerPolicy(str_truncate_after=4, nested_obj_truncate_after=2, array_truncate_after=3)


def cut(value: Any, *keys: str, policy: SerPolicy = POLICY) -> Any:
    return json.loads(Truncation(policy, keys).document(json.dumps(value, ensure_ascii=False).encode()))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": "12345"}, {"a": "1234"}),
        ({"a": "1234"}, {"a": "1234"}),
        ({"a": "äöü"}, {"a": "äö"}),
        ({"a": "123ü"}, {"a": "123"}),
        ({"a": [1, 2, 3, 4]}, {"a": [1, 2, 3]}),
        ({"a": [["12345"], 2]}, {"a": [["1234"], 2]}),
        ({"a": {"b": 1, "c": 2, "d": 3}}, {"a": {"b": 1, "c": 2}}),
        ({"a": 1, "b": 2, "c": 3, "d": None}, {"a": 1, "b": 2, "c": 3, "d": None}),
    ],
)
def test_what_is_beyond_a_limit_is_cut_off(value: Any, expected: Any) -> None:
    assert cut(value) == expected


def test_a_limit_of_zero_is_none() -> None:
    value = {"a": "x" * 99, "b": list(range(99)), "c": {str(n): n for n in range(99)}}

    assert cut(value, policy=SerPolicy(str_truncate_after=4)) == {**value, "a": "xxxx"}
    assert cut(value, policy=SerPolicy(array_truncate_after=4)) == {**value, "b": [0, 1, 2, 3]}
    assert cut(value, policy=SerPolicy(nested_obj_truncate_after=1)) == {**value, "c": {"0": 0}}


def test_keys_stay_whole_and_what_they_are_within_does_too() -> None:
    value = {"a": {"b": "12345", "c": "12345", "d": {"key": "12345"}}, "e": [0, 0, 0, 0, "12345"]}

    expected = {"a": {"b": "1234", "c": "1234", "d": {"key": "12345"}}, "e": [0, 0, 0, 0, "12345"]}
    assert cut(value, "/a/d/key", "/e/4") == expected


def test_what_is_short_enough_is_the_very_text_and_numbers_keep_their_digits() -> None:
    truncation = Truncation(POLICY, ["/id"])
    text = b'{"id": 1.10, "a": ["\\u0041", 12345678901234567890.5]}'

    assert truncation.document(text) is text
    assert (
        truncation.document(text[:-1] + b',"b":"12345"}') == b'{"id":1.10,"a":["A",12345678901234567890.5],"b":"1234"}'
    )


def test_a_value_of_a_document_is_cut_as_it_is_within_it() -> None:
    truncation = Truncation(POLICY, [])

    assert truncation.value(b'"12345"') == b'"1234"'
    assert truncation.value(b'{"a":1,"b":2,"c":3}') == b'{"a":1,"b":2}'
    assert truncation.value(b"123456789") == b"123456789"


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_what_was_cut_is_cut_no_further(value: Any) -> None:
    once = cut({"a": value})

    assert cut(once) == once


def test_a_policy_that_cuts_nothing_is_none() -> None:
    assert truncation_of(None, []) is None
    assert truncation_of(SerPolicy(), []) is None
    assert truncation_of(POLICY, []) is not None
