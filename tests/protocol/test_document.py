from __future__ import annotations

import collections
import copy
import dataclasses
import datetime as dt
import enum
import json
import math
import uuid
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.protocol import document
from python.protocol.errors import DocumentError

NAN, INFINITY = float("nan"), float("inf")
CET = dt.timezone(dt.timedelta(hours=1))

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
numbers = (
    st.integers()
    | st.integers(-(10**60), 10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False)
)
trees = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=15,
)


class Colour(str, enum.Enum):
    RED = "red"


class Number(enum.Enum):
    ONE = 1
    HUGE = 2**70
    NOTHING = NAN


class Count(int):
    def __str__(self) -> str:
        return "many"


class Length(float):
    pass


class Name(str):
    __slots__ = ()


Point = collections.namedtuple("Point", "x y")  # noqa: PYI024 -- the kind that libraries hand out


@dataclasses.dataclass
class Record:
    a: float


def refused(value: object) -> tuple[str, str]:
    with pytest.raises(DocumentError) as caught:
        document.encode(value)
    return caught.value.at, caught.value.problem


def exactly(value: Any) -> Any:
    """`value` with floats as the Decimals that decoding gives; compared by digits, so that 1.0 is not 1.00."""
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        return ("number", value.normalize().as_tuple() if value else value.is_signed())
    if isinstance(value, dict):
        return {key: exactly(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exactly(item) for item in value]
    return (type(value), value)


@given(trees)
def test_nothing_is_lost(value: object) -> None:
    assert exactly(document.decode(document.encode(value))) == exactly(_like_json(value))


def _like_json(value: Any) -> Any:
    """A Decimal without a fraction is written as an integer, and so comes back as one."""
    if isinstance(value, Decimal):
        return document.decode(str(value).encode())
    if isinstance(value, dict):
        return {key: _like_json(item) for key, item in value.items()}
    return [_like_json(item) for item in value] if isinstance(value, list) else value


@given(trees)
def test_encoding_agrees_with_the_standard_library(value: object) -> None:
    assert json.loads(document.encode(value), parse_float=float) == json.loads(
        json.dumps(value, default=_float_or_int), parse_float=float
    )


def _float_or_int(value: Decimal) -> float | int:
    found: float | int = json.loads(str(value))
    return found


@given(trees)
def test_encoding_gives_one_line_and_leaves_its_argument_alone(value: object) -> None:
    before = repr(value)

    assert b"\n" not in document.encode(value)
    assert repr(value) == before


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2**63, b"9223372036854775808"),
        (2**64, b"18446744073709551616"),
        (-(2**63) - 1, b"-9223372036854775809"),
        ([2**200], b"[%d]" % 2**200),
        (0.1, b"0.1"),
        (-0.0, b"-0.0"),
        (5e-324, b"5e-324"),
        (Decimal("1.10"), b"1.10"),
        (Decimal("0." + "1" * 100), b"0." + b"1" * 100),
        (Decimal("1E+999"), b"1E+999"),
        (Decimal("-0"), b"-0"),
        ([Decimal("1E+999"), {"a": None}], b'[1E+999,{"a":null}]'),
        ({"a": Decimal("1.10"), "b": 2**70}, b'{"a":1.10,"b":1180591620717411303424}'),
        ("é\u2028😀\x00", '"é\u2028😀\\u0000"'.encode()),
        ((1, (2,)), b"[1,[2]]"),
        (Point(1, 2), b"[1,2]"),
        (Colour.RED, b'"red"'),
        ({Colour.RED: Number.ONE}, b'{"red":1}'),
        ([Number.HUGE], b"[1180591620717411303424]"),
        ([Count(3), 2**70], b"[3,1180591620717411303424]"),
        (Length(0.5), b"0.5"),
        ({Name("a"): Name("b"), 3: 4}, b'{"a":"b","3":4}'),
        (MappingProxyType({"a": MappingProxyType({"b": 1})}), b'{"a":{"b":1}}'),
        (collections.UserDict({1: 2}), b'{"1":2}'),
        (b"\x00\xff", b'"AP8="'),
        ([bytearray(b"a"), memoryview(b"b"), 2**70], b'["YQ==","Yg==",1180591620717411303424]'),
        (uuid.UUID(int=1), b'"00000000-0000-0000-0000-000000000001"'),
        ([uuid.UUID(int=1), 2**70], b'["00000000-0000-0000-0000-000000000001",1180591620717411303424]'),
        (dt.datetime(2024, 1, 2, 3, 4, 5, 6, CET), b'"2024-01-02T03:04:05.000006+01:00"'),
        (dt.datetime(2024, 1, 2), b'"2024-01-02T00:00:00+00:00"'),  # noqa: DTZ001 -- naive on purpose
        ([dt.datetime(2024, 1, 2), 2**70], b'["2024-01-02T00:00:00+00:00",1180591620717411303424]'),  # noqa: DTZ001 -- same
        (dt.date(2024, 1, 2), b'"2024-01-02"'),
        (dt.time(1, 2, 3, tzinfo=CET), b'"01:02:03+01:00"'),
        ({"a": msgspec.Raw(b'{"b": 1.50}')}, b'{"a":{"b": 1.50}}'),
        ({"a": msgspec.Raw(b'{\n"b": 1.50}')}, b'{"a":{"b":1.50}}'),
        ({"a": msgspec.Raw(b"[\n1]"), "b": 2**70}, b'{"a":[1],"b":1180591620717411303424}'),
        ({"a": {"b": None}, "c": "null"}, b'{"a":{"b":null},"c":"null"}'),
        (({"a": None}, 1), b'[{"a":null},1]'),
        ({"a": msgspec.Raw(b"nonsense"), "b": {"c": None}}, b'{"a":nonsense,"b":{"c":null}}'),
        ({"a": 1.5, "b": msgspec.Raw(b"nonsense null")}, b'{"a":1.5,"b":nonsense null}'),
    ],
)
def test_written_exactly(value: object, written: bytes) -> None:
    assert document.encode(value) == written


@pytest.mark.parametrize(
    ("value", "at"),
    [
        (NAN, ""),
        ({"a": NAN}, "/a"),
        ({"a": {"b": [1, [INFINITY]]}}, "/a/b/1/0"),
        ({"a": None, "b": NAN}, "/b"),
        ({"a": None, "b": {"c/d~e": -INFINITY}}, "/b/c~1d~0e"),
        ((1, (NAN,)), "/1/0"),
        ({"a": Decimal("NaN")}, "/a"),
        ({"a": [Decimal("sNaN")]}, "/a/0"),
        ({"a": [Decimal("-Infinity")]}, "/a/0"),
        ({"a": Number.NOTHING}, "/a"),
        ({"a": collections.UserDict({"b": NAN})}, "/a/b"),
        ({"a": [2**70, NAN]}, "/a/1"),
        ({"a": dt.date(2024, 1, 1), "b": [{"c": None}, {"d": NAN}]}, "/b/1/d"),
    ],
)
def test_what_is_not_finite_is_refused_by_its_place(value: object, at: str) -> None:
    found, problem = refused(value)

    assert found == at
    assert problem.endswith("is not a JSON number; send null or leave it out")


@pytest.mark.parametrize(
    ("value", "at", "problem"),
    [
        ({"a": {1, 2}}, "/a", "a set is not JSON; convert it to text, a number or an object"),
        ({"a": [object]}, "/a/0", "a type is not JSON; convert it to text, a number or an object"),
        ([Record(1.0)], "/0", "a Record is not JSON; convert it to text, a number or an object"),
        ({"a": "\ud800"}, "/a", "has text with a lone surrogate, which UTF-8 lacks"),
        ({"a": {"\udfff": 1}}, "/a", "has text with a lone surrogate, which UTF-8 lacks"),
        ({"a": {None: 1}}, "/a", "has the key None; object keys are text"),
        ({True: 1}, "", "has the key True; object keys are text"),
        ({"a": {(1,): 1}}, "/a", "has the key (1,); object keys are text"),
        ({"a": {1: 2, "1": 3}}, "/a/1", "comes twice, as text and as a number"),
        ({"a": msgspec.Raw(b"")}, "/a", "raw text is not JSON: Input data was truncated"),
        ({"a": [msgspec.Raw(b"{\n")]}, "/a/0", "raw text is not JSON: Input data was truncated"),
    ],
)
def test_what_is_not_json_is_refused_by_its_place(value: object, at: str, problem: str) -> None:
    assert refused(value) == (at, problem)


def test_what_is_nested_too_deeply_is_refused() -> None:
    value: object = NAN
    for _ in range(document.DEPTH_MAX + 60):
        value = [value]

    assert refused(value) == ("/0/0/0/0/0/…", "is nested deeper than 200 levels")


def test_the_deepest_nesting_is_written() -> None:
    value: object = 2**70
    for _ in range(document.DEPTH_MAX):
        value = {"a": value}

    assert document.encode(value).endswith(b"1180591620717411303424" + b"}" * document.DEPTH_MAX)


def test_cycles_are_refused() -> None:
    value: dict[str, object] = {}
    value["a"] = [value]

    assert refused(value) == ("/a/0/a/0/a/…", "is nested deeper than 200 levels")


def test_integers_beyond_the_interpreters_bound_are_written_and_read_digit_by_digit() -> None:
    written = document.encode({"a": 10**5000, "b": -(10**5000)})

    assert written == b'{"a":1%b,"b":-1%b}' % (b"0" * 5000, b"0" * 5000)
    assert document.decode(written) == {"a": Decimal(10**5000), "b": Decimal(-(10**5000))}
    assert document.encode(document.decode(written)) == written


def test_long_integers_do_not_change_what_is_read_beside_them() -> None:
    assert document.decode(b"[%b,17,1.10]" % (b"1" * 5000)) == [Decimal("1" * 5000), 17, Decimal("1.10")]


def test_decoding_keeps_every_digit() -> None:
    assert repr(document.decode(b"[1, 1.10, 1E+2, 123456789012345678901]")) == (
        "[1, Decimal('1.10'), Decimal('1E+2'), 123456789012345678901]"
    )


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"NaN",
        b'"\xff"',
        b"1 2",
        b"1e99999999999999999999",
        b"[" * 100_000,
        b"[" + b"1" * 5000 + b",NaN]",
        b"[" + b"1" * 5000 + b",1e99999999999999999999]",
        b"[" + b"1" * 5000,
    ],
    ids=lambda text: repr(text[:20]),
)
def test_what_is_not_one_json_value_is_refused(text: bytes) -> None:
    with pytest.raises(DocumentError):
        document.decode(text)


def test_raw_text_is_decoded_too() -> None:
    assert document.decode(msgspec.Raw(b"[1]")) == [1]


def test_the_test_values_are_what_they_seem() -> None:
    assert math.isnan(NAN)
    assert str(Count(3)) == "many"


@pytest.mark.parametrize(
    "digits",
    ["12345678901234567.8", "0.12345678901234567890", "1e-400", "-1E+400", "123456789012345678901.5", "1e" + "9" * 19],
)
@pytest.mark.parametrize("beside", [{}, {"n": None}, {"big": 2**70}])
def test_a_number_that_no_float_holds_is_written_as_it_was_read(digits: str, beside: dict[str, Any]) -> None:
    read = document.number(digits)

    assert read == float(digits)
    assert document.encode({"v": [copy.deepcopy(read)], **beside}).startswith(b'{"v":[%b]' % digits.encode())


@pytest.mark.parametrize("digits", ["1.10", "-0.5", "1e3", "3.14159265358979", "2.5E-7", "1.7976931348623157e308"])
def test_a_number_that_a_float_holds_is_one(digits: str) -> None:
    assert type(document.number(digits)) is float
    assert Decimal(repr(document.number(digits))) == Decimal(digits)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_no_digit_of_a_number_is_lost(value: Decimal) -> None:
    digits = f"{value:e}"

    assert document.decode(document.encode(document.number(digits))) == Decimal(digits)
