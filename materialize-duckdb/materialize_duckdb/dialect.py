"""The SQL of DuckDB.

Tables have no index: a transaction finds the older rows of its keys by one scan, which costs less than an index that
every row goes through, and memory stays flat. Truths, integers and doubles come as such, all other values as text,
which DuckDB reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from python.materialize_sql import column_types as convert
from python.materialize_sql.column_types import BIG_INTEGER, ColumnType
from python.materialize_sql.dialect import Dialect
from python.materialize_sql.tables import Table

__all__ = ["DuckdbDialect"]

_DOUBLES = range(-(10**308), 10**308)  # what DOUBLE holds, nearly
_HUGE = range(-(2**127), 2**127)  # what HUGEINT holds


def _boolean(value: object) -> bool:
    return convert.boolean_text(value) == "true"


def _integer(bounds: range) -> convert.Converter:
    def read(value: object) -> int:
        found = value if value.__class__ is int else int(convert.integer_text(value))
        if found not in bounds:
            raise convert.UnfitError
        return found

    return read


def _double(value: object) -> float:
    text = convert.number_text(value)
    found = float(text)
    if math.isinf(found) and "Inf" not in text:
        raise convert.UnfitError
    return found


def _base64(value: object) -> str:
    convert.bytes_of(value)
    return str(value)


_BOOLEAN = ColumnType(name="BOOLEAN", want="true or false", convert=_boolean, usual=(bool,))
_BIGINT = ColumnType(
    name="BIGINT",
    want="an integer of 64 bits",
    convert=_integer(BIG_INTEGER),
    usual=(int,),
    all_fit=convert.within(BIG_INTEGER),
)
_HUGEINT = ColumnType(
    name="HUGEINT",
    want="an integer of 128 bits",
    convert=_integer(_HUGE),
    usual=(int,),
    all_fit=convert.within(_HUGE),
)
_DOUBLE = ColumnType(
    name="DOUBLE",
    want="a number up to 1.8e308",
    convert=_double,
    usual=(float, int),
    quick=float,
    all_fit=convert.within(_DOUBLES),
)
_TEXT = ColumnType(name="VARCHAR", want="text", convert=convert.text_of, usual=(str,))
_JSON = ColumnType(name="JSON", want="JSON", convert=convert.json_text)
_KEY = ColumnType(name="VARCHAR", want="JSON", convert=convert.json_text)
_BLOB = ColumnType(name="BLOB", want="base64", convert=_base64)
_DATE = ColumnType(
    name="DATE",
    want="a date",
    convert=convert.date_text("{date} (BC)"),
    usual=(str,),
    all_fit=convert.plain_dates,
)
_TIMESTAMP = ColumnType(
    name="TIMESTAMP WITH TIME ZONE",
    want="a date-time",
    convert=convert.date_time_text("{date} (BC) {time}"),
    usual=(str,),
    all_fit=convert.plain_date_times,
)
_UUID = ColumnType(name="UUID", want="a UUID", convert=convert.uuid_text, usual=(str,), all_fit=convert.plain_uuids)
_DOCUMENT = ColumnType(name="JSON", want="a document", convert=bytes.decode, usual=(bytes,), quick=bytes.decode)

_AS_TEXT = {
    **dict.fromkeys(("BOOLEAN", "BIGINT", "HUGEINT", "DOUBLE", "DATE", "UUID"), "cast({column} as varchar)"),
    "BLOB": "to_base64({column})",
    "TIMESTAMP WITH TIME ZONE": "strftime({column} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')",
}
_AS_JSON = dict.fromkeys(("BOOLEAN", "BIGINT", "HUGEINT", "DOUBLE", "VARCHAR"), "to_json({column})")


class DuckdbDialect(Dialect):
    """DuckDB 1.3 or later."""

    types: ClassVar[Mapping[str, tuple[ColumnType, ...]]] = {
        "array": (_JSON,),
        "binary": (_BLOB, _TEXT, _JSON),
        "boolean": (_BOOLEAN, _TEXT, _JSON),
        "document": (_DOCUMENT,),
        "integer": (_HUGEINT, _TEXT, _JSON),
        "integer:64": (_BIGINT, _HUGEINT, _TEXT, _JSON),
        "key": (_KEY,),
        "multiple": (_JSON,),
        "number": (_DOUBLE, _TEXT, _JSON),
        "object": (_JSON,),
        "string": (_TEXT, _JSON),
        "string:date": (_DATE, _TEXT, _JSON),
        "string:date-time": (_TIMESTAMP, _TEXT, _JSON),
        "string:uuid": (_UUID, _TEXT, _JSON),
        "string-integer": (_HUGEINT, _TEXT, _JSON),
        "string-number": (_TEXT, _JSON),
    }
    migrations: ClassVar[Mapping[tuple[str, str], str]] = {
        ("BIGINT", "HUGEINT"): "cast({column} as hugeint)",
        ("BIGINT", "DOUBLE"): "cast({column} as double)",
        ("HUGEINT", "DOUBLE"): "cast({column} as double)",
        **{(name, "VARCHAR"): expression for name, expression in _AS_TEXT.items()},
        **{(name, "JSON"): expression for name, expression in _AS_JSON.items()},
        **{(name, "JSON"): f"to_json({_AS_TEXT[name]})" for name in _AS_TEXT if name not in _AS_JSON},
    }
    case_insensitive = True
    keyed = False

    def upsert(self, table: Table, staged: str) -> list[str]:
        """Return the statements that delete what is replaced, and add what is staged."""
        return [*self.delete(table, staged), *self.append(table, staged)]
