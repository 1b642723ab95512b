"""The SQL of PostgreSQL.

All values come as text, which PostgreSQL reads. Its text cannot hold the character U+0000: it is replaced in values,
and refused in keys, which must stay different.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from python.materialize_sql import column_types as convert
from python.materialize_sql.column_types import BIG_INTEGER, ColumnType
from python.materialize_sql.dialect import Dialect

__all__ = ["PostgresDialect"]


def _key_text(value: object) -> str:
    text = convert.text_of(value)
    if "\0" in text:
        raise convert.UnfitError
    return text


def _bigint(value: object) -> str:
    found = value if value.__class__ is int else int(convert.integer_text(value))
    if found not in BIG_INTEGER:
        raise convert.UnfitError
    return str(found)


def _hexadecimal(value: object) -> str:
    return f"\\x{convert.bytes_of(value).hex()}"


_BOOLEAN = ColumnType(
    name="boolean",
    want="true or false",
    convert=convert.boolean_text,
    usual=(bool,),
    quick={True: "true", False: "false"}.__getitem__,
)
_BIGINT = ColumnType(
    name="bigint",
    want="an integer of 64 bits",
    convert=_bigint,
    usual=(int,),
    quick=str,
    all_fit=convert.within(BIG_INTEGER),
)
_INTEGER = ColumnType(name="numeric", want="an integer", convert=convert.integer_text, usual=(int,), quick=str)
_NUMBER = ColumnType(name="numeric", want="a number", convert=convert.number_text, usual=(int, float), quick=repr)
_TEXT = ColumnType(name="text", want="text", convert=convert.text_of, usual=(str,))
_KEY_TEXT = ColumnType(name="text", want="text without U+0000", convert=_key_text)
_KEY = ColumnType(name="text", want="JSON", convert=convert.json_text)
_JSON = ColumnType(name="json", want="JSON", convert=convert.json_text)
_BYTEA = ColumnType(name="bytea", want="base64", convert=_hexadecimal)
_DATE = ColumnType(
    name="date", want="a date", convert=convert.date_text("{date} BC"), usual=(str,), all_fit=convert.plain_dates
)
_TIMESTAMP = ColumnType(
    name="timestamp with time zone",
    want="a date-time",
    convert=convert.date_time_text("{date} {time} BC"),
    usual=(str,),
    all_fit=convert.plain_date_times,
)
_UUID = ColumnType(name="uuid", want="a UUID", convert=convert.uuid_text, usual=(str,), all_fit=convert.plain_uuids)
_DOCUMENT = ColumnType(name="json", want="a document", convert=bytes.decode, usual=(bytes,), quick=bytes.decode)

_AS_TEXT = {
    **dict.fromkeys(("boolean", "bigint", "numeric", "date", "uuid"), "cast({column} as text)"),
    "bytea": "translate(encode({column}, 'base64'), chr(10), '')",
    "timestamp with time zone": "to_char({column} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
}
_AS_JSON = ("boolean", "bigint", "numeric", "text")


class PostgresDialect(Dialect):
    """PostgreSQL 14 or later: its numbers can be infinite."""

    types: ClassVar[Mapping[str, tuple[ColumnType, ...]]] = {
        "array": (_JSON,),
        "binary": (_BYTEA, _TEXT, _JSON),
        "boolean": (_BOOLEAN, _TEXT, _JSON),
        "document": (_DOCUMENT,),
        "integer": (_INTEGER, _TEXT, _JSON),
        "integer:64": (_BIGINT, _INTEGER, _TEXT, _JSON),
        "key": (_KEY,),
        "key:string": (_KEY_TEXT,),
        "multiple": (_JSON,),
        "number": (_NUMBER, _TEXT, _JSON),
        "object": (_JSON,),
        "string": (_TEXT, _JSON),
        "string:date": (_DATE, _TEXT, _JSON),
        "string:date-time": (_TIMESTAMP, _TEXT, _JSON),
        "string:uuid": (_UUID, _TEXT, _JSON),
        "string-integer": (_INTEGER, _TEXT, _JSON),
        "string-number": (_NUMBER, _TEXT, _JSON),
    }
    migrations: ClassVar[Mapping[tuple[str, str], str]] = {
        ("bigint", "numeric"): "cast({column} as numeric)",
        **{(name, "text"): expression for name, expression in _AS_TEXT.items()},
        **{(name, "json"): "to_json({column})" for name in _AS_JSON},
        **{(name, "json"): f"to_json({_AS_TEXT[name]})" for name in _AS_TEXT if name not in _AS_JSON},
    }
    name_bytes_max = 63
    reserved_columns = frozenset({"ctid", "cmax", "cmin", "tableoid", "xmax", "xmin"})
    temporary = "pg_temp"
    # A session that was stopped in the middle of a commit holds its locks no longer than this.
    begin = "begin; set local idle_in_transaction_session_timeout = '60s'"
    lock = "lock table {table} in share row exclusive mode"
