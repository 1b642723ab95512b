from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.protocol.pointer import MISSING, join, parse, resolve

# The document and the pointers of RFC 6901, section 5.
EXAMPLE = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", EXAMPLE),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_the_examples_of_rfc_6901(pointer: str, value: object) -> None:
    assert resolve(EXAMPLE, parse(pointer)) == value


@pytest.mark.parametrize(
    "pointer", ["/nope", "/foo/2", "/foo/-", "/foo/-1", "/foo/01", "/foo/\u0660", "/foo/bar", "/ /x"]
)
def test_what_is_not_there_is_missing(pointer: str) -> None:
    assert resolve(EXAMPLE, parse(pointer)) is MISSING


def test_an_index_longer_than_any_list_is_missing() -> None:
    assert resolve([1], ("9" * 5000,)) is MISSING


def test_null_is_a_value() -> None:
    assert resolve({"a": None}, ("a",)) is None
    assert repr(MISSING) == "nothing"


def test_a_pointer_starts_with_a_slash() -> None:
    with pytest.raises(ValueError, match="a JSON pointer starts with '/', but got 'a/b'"):
        parse("a/b")


@given(st.lists(st.text(max_size=4)))
def test_parsing_what_was_joined_gives_the_tokens_again(tokens: list[str]) -> None:
    assert parse(join(tokens)) == tuple(tokens)
