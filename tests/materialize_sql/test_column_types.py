from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.materialize_sql.column_types import (
    ColumnType,
    Converter,
    UnfitError,
    boolean_text,
    bytes_of,
    date_text,
    date_time_text,
    integer_text,
    number_text,
    plain_date_times,
    plain_dates,
    plain_uuids,
    uuid_text,
    within,
)
from python.protocol.document import number


@pytest.mark.parametrize(
    ("convert", "value"),
    [
        (boolean_text, 1),
        (integer_text, True),
        (integer_text, 1.5),
        (integer_text, "1e5000"),
        (integer_text, "NaN"),
        (integer_text, "0x10"),
        (integer_text, "1_000"),
        (integer_text, ""),
        (integer_text, [1]),
        (number_text, "1e99999"),
        (number_text, "\N{ARABIC-INDIC DIGIT ONE}"),
        (number_text, None),
        (number_text, number("1e100000")),
        (uuid_text, "0e5f8a5c1e6a11ef92620242ac120002"),
        (bytes_of, "AAA"),
        (bytes_of, 1),
        (date_text("{date}"), "2024-1-1"),
        (date_text("{date}"), "2024-01-01T00:00:00Z"),
        (date_time_text(""), "2024-01-01T00:00:00"),
        (date_time_text(""), "2024-01-01T24:00:00Z "),
        (date_time_text(""), "2024-01-01t23:59:61z"),
        (date_time_text(""), "2024-02-30t00:00:00z"),
        (date_time_text(""), "2024-01-01t00:61:00z"),
    ],
)
def test_what_does_not_fit_is_refused(convert: Converter, value: object) -> None:
    with pytest.raises(UnfitError):
        convert(value)


@given(st.integers())
def test_integers_keep_every_digit(value: int) -> None:
    assert int(integer_text(value)) == int(integer_text(str(value))) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_come_back_as_they_were(value: float) -> None:
    assert float(number_text(value)) == value


@given(st.datetimes(timezones=st.timezones()))
def test_every_way_to_write_a_date_time_is_the_same_instant(value: dt.datetime) -> None:
    offset = value.utcoffset() or dt.timedelta()
    if offset.total_seconds() % 60 or not 1 < value.year < 9999:
        return
    text = value.isoformat()
    utc = value.astimezone(dt.timezone.utc)

    assert dt.datetime.fromisoformat(date_time_text("")(text)) == utc
    assert dt.datetime.fromisoformat(date_time_text("")(text.replace("T", "t"))) == utc


def test_a_column_keeps_nulls_and_takes_the_quick_way_for_usual_values() -> None:
    seen: list[object] = []

    def convert(value: object) -> str:
        seen.append(value)
        if value == "bad":
            raise UnfitError
        return f"slow {value}"

    text = ColumnType(name="text", want="text", convert=convert, usual=(str,))
    digits = ColumnType(name="numeric", want="an integer", convert=convert, usual=(int,), quick=str)

    assert text.column(["a", None, 1]) == ["a", None, "slow 1"]
    assert digits.column([1, 2]) == ["1", "2"]
    assert digits.column([1, None, True]) == ["1", None, "slow True"]
    assert seen == [1, True]
    with pytest.raises(UnfitError):
        digits.column(["bad"])


def test_a_column_is_taken_as_it_is_where_all_usual_values_fit_and_one_by_one_where_not() -> None:
    def convert(value: object) -> str:
        return f"slow {value}"

    small = ColumnType(
        name="bigint", want="a small integer", convert=convert, usual=(int, float), quick=str, all_fit=within(range(9))
    )

    assert small.column([1, 2.5]) == ["1", "2.5"]
    assert small.column([8, None, "a"]) == ["8", None, "slow a"]
    assert small.column([8, None, 9]) == ["slow 8", None, "slow 9"]
    assert small.column([None]) == [None]
    assert small.column([]) == []


@pytest.mark.parametrize(
    ("all_plain", "convert", "plain", "other"),
    [
        (plain_dates, date_text("{date} BC"), "0001-12-31", "0000-12-31"),
        (plain_date_times, date_time_text(""), "2024-01-31T12:00:00.5+14:59", "2024-01-31t12:00:00Z"),
        (plain_uuids, uuid_text, "00000000-0000-0000-0000-0000000000Ff", "00000000-0000-0000-0000-0000000000Fg"),
    ],
)
def test_texts_are_plain_where_each_of_them_is_and_none_of_them_has_lines(
    all_plain: Callable[[Sequence[str]], bool], convert: Callable[[object], str], plain: str, other: str
) -> None:
    assert convert(plain) == plain
    assert all_plain([plain] * 20_000)
    assert all_plain([])
    assert not all_plain([plain, other])
    assert not all_plain([plain, ""])
    assert not all_plain([f"{plain}\n{plain}"])
