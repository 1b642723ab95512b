from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.protocol.document import Number
from python.protocol.errors import RemoteProtocolError
from python.protocol.packed import pack, unpack

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)


@given(st.lists(SCALARS | st.lists(st.integers()) | st.dictionaries(st.text(max_size=3), st.booleans())))
def test_what_was_packed_is_unpacked(values: list[Any]) -> None:
    assert unpack(pack(values)) == tuple(values)


@given(
    st.lists(st.integers()) | st.lists(st.floats(allow_nan=False)) | st.lists(st.text(st.characters(max_codepoint=300)))
)
def test_packed_tuples_sort_as_their_values_do(values: list[Any]) -> None:
    def text(value: Any) -> Any:
        return value.encode() if isinstance(value, str) else (value, str(value)[0] != "-")

    assert sorted(values, key=lambda value: pack([value])) == sorted(values, key=text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "00"),
        (0, "14"),
        (1, "1501"),
        (-1, "13fe"),
        (-5551212, "11ab4b93"),
        (2**64, "1d09010000000000000000"),
        (-(2**64), "0bf6feffffffffffffffff"),
        ("F\u00d4O\u0000bar", "0246c3944f00ff62617200"),
        (-42.0, "213fbaffffffffffff"),
        (False, "26"),
        (True, "27"),
    ],
)
def test_the_layout_is_that_of_the_tuple_layer_s_specification(value: Any, text: str) -> None:
    assert pack([value]).hex() == text
    assert unpack(bytes.fromhex(text)) == (value,)


def test_numbers_in_packed_json_keep_their_digits() -> None:
    (found,) = unpack(b'\x01{"n":12345678901234567.8}\x00')

    assert isinstance(found["n"], Number)
    assert found["n"].text == "12345678901234567.8"


def test_json_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="malformed at byte 0"):
        unpack(b"\x01" + b"[" * 3000 + b"]" * 3000 + b"\x00")


@pytest.mark.parametrize("text", ["ff", "0261", "1601", "2100", "01ff00", "017b00"])
def test_what_is_no_packed_tuple_is_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError, match="a packed tuple is malformed at byte 0"):
        unpack(bytes.fromhex(text))
