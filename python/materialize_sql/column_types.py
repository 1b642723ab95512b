"""Types of columns, and how JSON values become theirs.

A converter takes a JSON value that is not null, and returns what the driver stores; it raises UnfitError where the type
cannot hold the value. Those named `…_text` write the text that a database reads.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import decimal
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from python.protocol import document

__all__ = [
    "BIG_INTEGER",
    "ColumnType",
    "Converter",
    "UnfitError",
    "boolean_text",
    "bytes_of",
    "date_text",
    "date_time_text",
    "integer_text",
    "json_text",
    "number_text",
    "plain_date_times",
    "plain_dates",
    "plain_uuids",
    "text_of",
    "uuid_text",
    "within",
]

BIG_INTEGER = range(-(2**63), 2**63)
"""What 64 bits hold."""

_DIGITS_MAX = 4300  # the default bound of the interpreter for integers; a number of more is no honest one
_INTEGER = re.compile(r"[+-]?[0-9]+(\.0*)?")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_NOT_FINITE = {"nan": "NaN", "infinity": "Infinity", "+infinity": "Infinity", "-infinity": "-Infinity"}
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_PLAIN_DATE = re.compile(r"(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLAIN_DATE_TIME = re.compile(
    r"(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-4]):[0-9]{2})"
)
_DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
# A column at once, a value a line: a third of the time that each value by itself takes.
_PLAIN_UUIDS, _PLAIN_DATES, _PLAIN_DATE_TIMES = (
    re.compile(rf"(?:(?:{pattern.pattern})\n)*") for pattern in (_UUID, _PLAIN_DATE, _PLAIN_DATE_TIME)
)
_CYCLE_YEARS = 400  # after as many years the days of the calendar come again


Converter = Callable[[Any], Any]
"""Makes what is stored of a JSON value that is not null; raises UnfitError where it does not fit."""


class UnfitError(ValueError):
    """A value is none that a column of its type can hold."""


class ColumnType(msgspec.Struct, frozen=True, kw_only=True):
    """A type of columns. `name` is how the database calls it, `want` is what it holds, in words.

    Columns that an older version of the connector has made may have the type `formerly`, which others have, too. None
    says that there was none; the type "" is that of a column without a type.

    Nearly all values are of the exact types `usual`, and are stored as `quick` makes them, or as they are without it;
    all others as `convert` makes them. With `all_fit`, usual values are only stored so where it says that all fit.
    """

    name: str
    want: str
    convert: Converter
    usual: tuple[type, ...] = ()
    quick: Converter | None = None
    all_fit: Callable[[Sequence[Any]], bool] | None = None
    formerly: str | None = None

    def column(self, values: Sequence[Any]) -> list[Any]:
        """Return `values`, converted; None stays None. Raises ValueError, in most cases UnfitError."""
        convert, quick, kinds = self.convert, self.quick, set(map(type, values))
        usual = kinds.intersection(self.usual)
        if self.all_fit and not self.all_fit([value for value in values if value.__class__ in usual]):
            usual = set()
        if kinds == usual:
            return list(map(quick, values)) if quick else list(values)
        if quick is None:
            return [value if value is None or value.__class__ in usual else convert(value) for value in values]
        return [
            None if value is None else quick(value) if value.__class__ in usual else convert(value) for value in values
        ]


def within(bounds: range) -> Callable[[Sequence[float]], bool]:
    """Return what says whether all numbers of a column are within `bounds`.

    >>> within(range(3))([0, 2]), within(range(3))([2, 3]), within(range(3))([])
    (True, False, True)
    """
    return lambda values: not values or (bounds.start <= min(values) and max(values) < bounds.stop)


def plain_uuids(texts: Sequence[str]) -> bool:
    """Return whether each of `texts` is a UUID."""
    return _all_match(_PLAIN_UUIDS, texts)


def plain_dates(texts: Sequence[str]) -> bool:
    """Return whether each of `texts` is a date after the year 0, which every database reads as it is."""
    return _all_match(_PLAIN_DATES, texts)


def plain_date_times(texts: Sequence[str]) -> bool:
    """Return whether each of `texts` is a date-time of RFC 3339 that every database reads as it is."""
    return _all_match(_PLAIN_DATE_TIMES, texts)


def _all_match(lines: re.Pattern[str], texts: Sequence[str]) -> bool:
    """Return whether each of `texts` is a line of those that `lines` matches."""
    whole = "".join([f"{text}\n" for text in texts])
    return whole.count("\n") == len(texts) and lines.fullmatch(whole) is not None


def text_of(value: object) -> str:
    """Return text as it is, and any other value as JSON.

    >>> text_of("a"), text_of(2**64), text_of(document.Number("1.10000000000000000001")), text_of({"b": [None]})
    ('a', '18446744073709551616', '1.10000000000000000001', '{"b":[null]}')
    """
    return value if isinstance(value, str) else json_text(value)


def json_text(value: object) -> str:
    """Return `value` as JSON."""
    return document.encode(value).decode()


def boolean_text(value: object) -> str:
    """Return `true` or `false`."""
    if not isinstance(value, bool):
        raise UnfitError
    return "true" if value else "false"


def integer_text(value: object) -> str:
    """Return the digits of an integer, which may have come as text or with a fraction of zero.

    >>> integer_text(2**64 + 1), integer_text("-007"), integer_text(12.0), integer_text("3.00")
    ('18446744073709551617', '-7', '12', '3')
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    text = number_text(value)
    if not _INTEGER.fullmatch(text):
        found = decimal.Decimal(text)
        if not found.is_finite() or found.adjusted() > _DIGITS_MAX or found != found.to_integral_value():
            raise UnfitError
        return str(int(found))
    return str(int(text.partition(".")[0]))


def number_text(value: object) -> str:
    """Return all digits of a number, which may have come as text, also as one of NaN and the infinities.

    >>> number_text(1.5), number_text(document.Number("1.10000000000000000001")), number_text("-infinity")
    ('1.5', '1.10000000000000000001', '-Infinity')
    """
    if value.__class__ is float and math.isfinite(value):  # nearly all numbers are of this type
        return repr(value)
    if isinstance(value, bool):
        raise UnfitError
    if isinstance(value, str):
        text = _NOT_FINITE.get(value.strip().lower(), value.strip())
        if text in _NOT_FINITE.values():
            return text
    elif isinstance(value, (int, float)):
        text = getattr(value, "text", None) or repr(value)
    else:
        raise UnfitError
    if not _NUMBER.fullmatch(text):
        raise UnfitError
    return text


def uuid_text(value: object) -> str:
    """Return the text of a UUID."""
    return _matching(_UUID, value)


def bytes_of(value: object) -> bytes:
    """Return the bytes that `value` spells in base64."""
    if not isinstance(value, str):
        raise UnfitError
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise UnfitError from None


def date_text(before_christ: str) -> Callable[[object], str]:
    """Return the converter of dates for a database that writes those before the year 1 as `before_christ`.

    >>> date_text("{date} BC")("0000-02-29")
    '0001-02-29 BC'
    """

    def convert(value: object) -> str:
        if isinstance(value, str) and _PLAIN_DATE.fullmatch(value):
            return value
        day = _matching(re.compile(r"0000-[0-9]{2}-[0-9]{2}"), value)
        return before_christ.format(date=f"0001{day[4:]}")

    return convert


def date_time_text(before_christ: str) -> Callable[[object], str]:
    """Return the converter of date-times of RFC 3339, by the form that the database has for those before the year 1.

    The instant is kept, to the microsecond. A leap second is the second after it.

    >>> date_time_text("{date} {time} BC")("0000-01-01T00:30:00+01:00")
    '0002-12-31 23:30:00+00 BC'
    >>> date_time_text("")("2016-12-31t23:59:60.1234567z")
    '2017-01-01 00:00:00.123456+00'
    """

    def convert(value: object) -> str:
        if isinstance(value, str) and _PLAIN_DATE_TIME.fullmatch(value):
            return value
        year, date, time = _in_utc(value)
        if year >= 1:
            return f"{year:04}-{date} {time}"
        return before_christ.format(date=f"{1 - year:04}-{date}", time=time)

    return convert


def _in_utc(value: object) -> tuple[int, str, str]:
    """Return year, day and time of any date-time of RFC 3339, also of year 0, leap seconds and far offsets."""
    found = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise UnfitError
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    shift = _CYCLE_YEARS if year <= _CYCLE_YEARS else -_CYCLE_YEARS
    offset = dt.timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0))
    if second > 60:  # noqa: PLR2004 -- a leap second's
        raise UnfitError
    try:
        local = dt.datetime(year + shift, month, day, hour, minute)  # noqa: DTZ001 -- the offset is applied below
    except ValueError:
        raise UnfitError from None
    local += dt.timedelta(seconds=second)
    utc = local - offset if found[8] == "+" else local + offset
    fraction = (found[7] or "")[:7]
    return utc.year - shift, f"{utc:%m-%d}", f"{utc:%H:%M:%S}{fraction}+00"


def _matching(pattern: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise UnfitError
    return value
