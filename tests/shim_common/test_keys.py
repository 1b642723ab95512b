from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from python.protocol.errors import DocumentError
from python.shim_common.keys import Key


@pytest.mark.parametrize("value", [1, 2**64, "text", "", True, Decimal(5), 5.0])
def test_a_text_an_integer_or_a_boolean_is_a_key(value: Any) -> None:
    Key(["/a/b"]).check({"a": {"b": value}})


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "/a/b: is missing"),
        ({"a": {"b": None}}, "/a/b: is null"),
        ({"a": {"b": [1]}}, "/a/b: is an array"),
        ({"a": {"b": {}}}, "/a/b: is an object"),
        ({"a": {"b": 1.5}}, "/a/b: is 1.5"),
        ({"a": {"b": Decimal("0.1")}}, "/a/b: is 0.1"),
    ],
)
def test_anything_else_is_named(data: Any, told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        Key(["/a/b"]).check(data)


def test_a_document_is_told_by_its_key_and_by_its_row_where_it_has_none() -> None:
    key = Key(["/a", "/b"])

    assert key.told({"a": 1, "b": "x"}, 7) == "/a=1, /b='x'"
    assert key.told({"a": 1}, 7) == "/a=1, row 7"
    assert Key(["/_meta/row_id"]).told({}, 7) == "row 7"


def test_names_are_the_members_to_look_at() -> None:
    assert Key(["/a/b", "/c~1d", "/_meta/row_id"]).names == ("a", "c/d")
