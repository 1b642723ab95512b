"""Nasty values, each in a column of its own type: what a materialization has to keep, and how that is recognised."""

# ruff: noqa: S101 -- a suite asserts
from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from python.acceptance.target import Table, Target
from python.acceptance.target_task import Task
from python.protocol import document

__all__ = ["VALUES", "Value", "value_is_kept"]

DIGITS = "0.12345678901234567890123456789012345678"
LONG = "ä€🦆x" * 100_000  # a megabyte, and no character boundary where a power of two is
DEEP = '{"d":' * 60 + "[]" + "}" * 60


class Value(msgspec.Struct, frozen=True):
    """A value as JSON `text`, its schema, and `same`: whether a column's text stands for the decoded value."""

    text: str
    schema: Mapping[str, Any]
    same: Callable[[str, Any], bool]


def _digits(found: str, value: object) -> bool:
    return Decimal(found) == Decimal(str(value))


def _number(found: str, value: object) -> bool:
    return float(found) == float(str(value))


def _truth(found: str, value: object) -> bool:
    return found.lower() in {"true", "t", "1"} if value else found.lower() in {"false", "f", "0"}


def _text(found: str, value: object) -> bool:
    return found == value


def _text_or_replaced(found: str, value: object) -> bool:
    """Some databases have no U+0000: U+FFFD says that there was something."""
    return found in {str(value), str(value).replace("\0", "\ufffd")}


def _json(found: str, value: object) -> bool:
    return document.decode(found.encode()) == value


def _instant(found: str, value: object) -> bool:
    """The same instant, to the microsecond, in whichever time zone it is shown; one without is in UTC."""
    shown = dt.datetime.fromisoformat(found)
    shown = shown if shown.tzinfo else shown.replace(tzinfo=dt.timezone.utc)
    return shown == dt.datetime.fromisoformat(str(value))


def _after_leap(found: str, value: object) -> bool:
    """A leap second itself, or, where there are none, the second after it."""
    return found == value or _instant(found, "2017-01-01T00:00:00+00:00")


def _early(found: str, value: object) -> bool:
    """The year 0, or 1 BC as most call it."""
    return found[:10] == str(value)[:10] or (found[:10] == f"0001{str(value)[4:10]}" and "BC" in found)


def _anything(found: str, value: object) -> bool:
    """Endpoints show bytes, and instants beyond the year 9999, each in its own way."""
    return bool(found or value)


_STRING = {"type": "string"}
_WHEN = {"type": "string", "format": "date-time"}
_DATE = {"type": "string", "format": "date"}
_INTEGER = {"type": "integer"}
_NUMERIC_TEXT = {"type": ["integer", "string"], "format": "integer"}

VALUES: Mapping[str, Value] = {
    "an integer": Value("-7", _INTEGER, _digits),
    "an integer of 64 bits": Value(f"{-(2**63)}", {**_INTEGER, "minimum": -(2**63), "maximum": 2**62}, _digits),
    "2^64 + 1": Value(f"{2**64 + 1}", _INTEGER, _digits),
    "an integer of 38 digits": Value("9" * 38, _INTEGER, _digits),
    "a number": Value("1.5", {"type": "number"}, _number),
    "a large number": Value("1e308", {"type": "number"}, _number),
    "a decimal of 38 digits": Value(DIGITS, {"type": "number"}, _number),
    "a decimal of 38 digits as text": Value(f'"{DIGITS}"', {**_STRING, "format": "number"}, _digits),
    "an integer as text": Value(f'"{2**70}"', _NUMERIC_TEXT, _digits),
    "true": Value("true", {"type": "boolean"}, _truth),
    "false": Value("false", {"type": "boolean"}, _truth),
    "the empty text": Value('""', _STRING, _text),
    "text in many scripts": Value('"ünï 漢字 ע\\u202e 🦆👩‍🚀 e\\u0301"', _STRING, _text),
    "text with controls and quotes": Value('"\\u0001\\t\\n\\r\\"\'`\\\\N\\\\.;--/*$1%s{}?"', _STRING, _text),
    "text with U+0000": Value('"a\\u0000b"', _STRING, _text_or_replaced),
    "text of a megabyte": Value(f'"{LONG}"', _STRING, _text),
    "a date": Value('"2024-02-29"', _DATE, _text),
    "the last date": Value('"9999-12-31"', _DATE, _text),
    "a date before Christ": Value('"0000-02-29"', _DATE, _early),
    "a date-time": Value('"2024-02-29T12:00:00.123456+02:00"', _WHEN, _instant),
    "a leap second": Value('"2016-12-31T23:59:60Z"', _WHEN, _after_leap),
    "a date-time before Christ": Value('"0000-02-29T12:00:00Z"', _WHEN, _early),
    "the last date-time": Value('"9999-12-31T23:59:59.999999-10:00"', _WHEN, _anything),
    "a time": Value('"23:59:60+23:59"', {**_STRING, "format": "time"}, _text),
    "a UUID": Value('"00000000-aaaa-bbbb-cccc-0123456789ab"', {**_STRING, "format": "uuid"}, _text),
    "bytes": Value('"AGFiYw=="', {**_STRING, "contentEncoding": "base64"}, _anything),
    "an array": Value(f'[{DIGITS},"x",null,18446744073709551617]', {"type": "array"}, _json),
    "one of several types": Value('{"a":[1.10]}', {"type": ["string", "object"]}, _json),
    "deep nesting": Value(f"[{DEEP}]", {"type": "array"}, _json),
}


def value_is_kept(name: str, target: Target) -> None:
    """The value `VALUES[name]` is in its column, and null beside it; the whole document is loaded with all digits."""
    value = VALUES[name]
    kinds = value.schema["type"]
    nullable = {**value.schema, "type": [*([kinds] if isinstance(kinds, str) else kinds), "null"]}
    table = Table(name="values", properties={"id": {"type": "integer"}, "it": nullable})
    docs = {1: f'{{"id":1,"it":{value.text}}}'.encode(), 2: b'{"id":2,"it":null}', 3: b'{"id":3}'}
    task = Task(target)
    task.publish(table)
    session = task.open()
    session.transaction(*docs.values())
    loaded = session.load([1], [2], [3], [4])
    session.commit(2)
    session.end()

    assert _decoded(loaded) == _decoded(docs.values())
    rows = {int(row["id"]): row["it"] for row in target.rows("values")}
    assert (set(rows), rows[2], rows[3]) == ({1, 2, 3}, None, None), rows
    wanted = document.decode(value.text.encode())
    assert value.same(rows[1], wanted), f"{rows[1]!r:.200} is in the column, and not {value.text:.200}"


def _decoded(texts: Any) -> dict[int, Any]:  # noqa: ANN401 -- JSON
    found = [document.decode(text) for text in texts]
    return {each["id"]: each for each in found}  # type: ignore[index] # ours are objects
