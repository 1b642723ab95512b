"""The types of columns in Parquet: what each kind of values is stored as, and how a column becomes wider."""

from __future__ import annotations

import base64
import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from python.materialize_sql import column_types as convert
from python.materialize_sql.column_types import BIG_INTEGER, ColumnType, UnfitError
from python.materialize_sql.dialect import kind_of
from python.protocol.projection import Projection

__all__ = ["ARROW", "array_of", "migrated", "migrates", "types_of"]

_DECIMAL_DIGITS = 38  # what 128 bits hold
_EPOCH = dt.date(1970, 1, 1)
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097  # after as many the days of the calendar come again
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)

ARROW: Mapping[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "int64": pa.int64(),
    "decimal": pa.decimal128(_DECIMAL_DIGITS, 0),
    "double": pa.float64(),
    "string": pa.string(),
    "json": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
"""The types in the files, by the names that manifests have for them."""


def _boolean(value: object) -> bool:
    return convert.boolean_text(value) == "true"


def _int64(value: object) -> int:
    number = int(convert.integer_text(value))
    if number not in BIG_INTEGER:
        raise UnfitError
    return number


def _decimal(value: object) -> Decimal:
    digits = convert.integer_text(value)
    if len(digits.lstrip("-")) > _DECIMAL_DIGITS:
        raise UnfitError
    return Decimal(digits)


def _double(value: object) -> float:
    text = convert.number_text(value)
    number = float(text)
    if math.isinf(number) and "Inf" not in text:
        raise UnfitError
    return number


def _days(value: object) -> int:
    """Return the days since 1970, also of a date in the year 0, which Python's dates lack."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise UnfitError
    shifted = value.startswith("0000")
    day = dt.date.fromisoformat(f"{_CYCLE_YEARS:04}{value[4:]}" if shifted else value)
    return (day - _EPOCH).days - (_CYCLE_DAYS if shifted else 0)


def _microseconds(value: object) -> int:
    """Return the microseconds since 1970 of a date-time of RFC 3339. A leap second is the second after it."""
    found = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise UnfitError
    hour, minute, second, *offset = (int(found[part] or 0) for part in (2, 3, 4, 7, 8))
    if hour > 23 or minute > 59 or second > 60 or offset[0] > 23 or offset[1] > 59:  # noqa: PLR2004 -- of a clock
        raise UnfitError
    shift = offset[0] * 3600 + offset[1] * 60
    seconds = _days(found[1]) * 86_400 + hour * 3600 + minute * 60 + second - (-shift if found[6] == "-" else shift)
    return seconds * 1_000_000 + int((found[5] or "")[:6].ljust(6, "0"))


_BOOLEAN = ColumnType(name="boolean", want="true or false", convert=_boolean, usual=(bool,))
_INT64 = ColumnType(name="int64", want="an integer of 64 bits", convert=_int64)
_DECIMAL = ColumnType(name="decimal", want=f"an integer of {_DECIMAL_DIGITS} digits", convert=_decimal)
_DOUBLE = ColumnType(name="double", want="a number up to 1.8e308", convert=_double, usual=(float,))
_STRING = ColumnType(name="string", want="text", convert=convert.text_of, usual=(str,))
_JSON = ColumnType(name="json", want="JSON", convert=convert.json_text)
_BINARY = ColumnType(name="binary", want="base64", convert=convert.bytes_of)
_DAY = ColumnType(name="date", want="a date", convert=_days)
_TIMESTAMP = ColumnType(name="timestamp", want="a date-time", convert=_microseconds)
_DOCUMENT = ColumnType(name="json", want="a document", convert=bytes.decode, usual=(bytes,), quick=bytes.decode)

_TYPES: Mapping[str, tuple[ColumnType, ...]] = {
    "array": (_JSON,),
    "binary": (_BINARY, _STRING, _JSON),
    "boolean": (_BOOLEAN, _STRING, _JSON),
    "document": (_DOCUMENT,),
    "integer": (_DECIMAL, _STRING, _JSON),
    "integer:64": (_INT64, _DECIMAL, _STRING, _JSON),
    "key": (_JSON,),
    "multiple": (_JSON,),
    "number": (_DOUBLE, _STRING, _JSON),
    "object": (_JSON,),
    "string": (_STRING, _JSON),
    "string:date": (_DAY, _STRING, _JSON),
    "string:date-time": (_TIMESTAMP, _STRING, _JSON),
    "string-integer": (_DECIMAL, _STRING, _JSON),
    "string-number": (_STRING, _JSON),
}
"""The types that hold each kind of values, first the one that new columns get."""


_TEXTS: Mapping[str, Callable[[Any], str]] = {
    "boolean": convert.boolean_text,
    "int64": str,
    "decimal": str,
    "double": convert.number_text,
    "binary": lambda value: base64.b64encode(value).decode(),
    "string": str,
    "date": str,
    "timestamp": str,
}
"""How a value becomes text."""
_PLAIN_JSON = frozenset({"boolean", "int64", "decimal", "double"})
"""What is JSON when it is text."""


def types_of(projection: Projection, *, is_key: bool, config: object) -> tuple[ColumnType, ...]:
    """Return the types that hold a projection's values, the best first; `config` is the user's for the field."""
    return _TYPES[kind_of(_TYPES, projection, is_key=is_key, config=config)]


def migrates(before: str, after: str) -> bool:
    """Return whether values of the type `before` can become those of the type `after`."""
    return (before, after) == ("int64", "decimal") or (before in _TEXTS and after in {"string", "json"})


def migrated(values: pa.ChunkedArray, before: str, after: str) -> pa.ChunkedArray:
    """Return `values`, of the type that manifests call `before`, as the type `after`, which `migrates` allows."""
    if after in (before, "decimal"):
        return values.cast(ARROW[after])
    if before in {"date", "timestamp"}:  # Python has not all of them
        values = pc.replace_substring(values.cast(pa.string()), " ", "T")
    write = _TEXTS[before]
    if after == "json" and before not in _PLAIN_JSON:
        write = _quoted(write)
    made = [[None if value is None else write(value) for value in chunk.to_pylist()] for chunk in values.chunks]
    return pa.chunked_array(made, ARROW[after])


def _quoted(write: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: convert.json_text(write(value))


def array_of(column: ColumnType, values: Sequence[Any]) -> pa.Array:
    """Return converted values as an array of Arrow's."""
    return pa.array(values, ARROW[column.name])
