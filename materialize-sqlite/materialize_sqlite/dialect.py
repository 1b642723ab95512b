"""The SQL of SQLite.

Tables are STRICT, so values stay as they were stored. Integers of any size and numbers with all their digits share the
type ANY: what SQLite's 64 bits hold is stored as a number, and the rest as text, which SQLite reads as a number too.
STRICT tables have no type BOOLEAN: 0 and 1 in a column of the type INT are truths, in one of the type INTEGER numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from python.materialize_sql import column_types as convert
from python.materialize_sql.column_types import BIG_INTEGER, ColumnType
from python.materialize_sql.dialect import Dialect
from python.materialize_sql.tables import ExistingColumn, Place, Table
from python.protocol import document

__all__ = ["SqliteDialect"]


def _boolean(value: object) -> int:
    return int(convert.boolean_text(value) == "true")


def _integer(value: object) -> int | str:
    found = value if value.__class__ is int else int(convert.integer_text(value))
    return found if found in BIG_INTEGER else str(found)


def _small(value: object) -> int:
    found = _integer(value)
    if isinstance(found, str):
        raise convert.UnfitError
    return found


def _number(value: object) -> float | str:
    text = convert.number_text(value)
    if text.lstrip("+-").isdigit():
        return _integer(text)
    found = document.number(text)
    return found if type(found) is float and text[-1].isdigit() else text


_WITHIN = convert.within(BIG_INTEGER)
_BOOLEAN = ColumnType(name="INT", want="true or false", convert=_boolean, usual=(bool,), quick=int, formerly="INTEGER")
_SMALL = ColumnType(name="INTEGER", want="an integer of 64 bits", convert=_small, usual=(int,), all_fit=_WITHIN)
_INTEGER = ColumnType(name="ANY", want="an integer", convert=_integer, usual=(int,), all_fit=_WITHIN)
_NUMBER = ColumnType(name="ANY", want="a number", convert=_number, usual=(float,))
_TEXT = ColumnType(name="TEXT", want="text", convert=convert.text_of, usual=(str,))
_JSON = ColumnType(name="TEXT", want="JSON", convert=convert.json_text)
_BYTES = ColumnType(name="BLOB", want="base64", convert=convert.bytes_of)
_DOCUMENT = ColumnType(name="TEXT", want="a document", convert=bytes.decode, usual=(bytes,), quick=bytes.decode)
_AS_TEXT = "case typeof({column}) when 'real' then printf('%!.17g', {column}) else cast({column} as text) end"


class SqliteDialect(Dialect):
    """SQLite 3.37 or later."""

    types: ClassVar[Mapping[str, tuple[ColumnType, ...]]] = {
        "array": (_JSON,),
        "binary": (_BYTES, _TEXT),
        "boolean": (_BOOLEAN, _TEXT),
        "document": (_DOCUMENT,),
        "integer": (_INTEGER, _TEXT),
        "integer:64": (_SMALL, _INTEGER, _TEXT),
        "key": (_JSON,),
        "multiple": (_TEXT,),
        "number": (_NUMBER, _TEXT),
        "object": (_JSON,),
        "string": (_TEXT,),
        "string-integer": (_INTEGER, _TEXT),
        "string-number": (_NUMBER, _TEXT),
    }
    migrations: ClassVar[Mapping[tuple[str, str], str]] = {
        ("INT", "TEXT"): "case {column} when 1 then 'true' when 0 then 'false' end",
        ("INTEGER", "ANY"): "{column}",
        ("INTEGER", "TEXT"): _AS_TEXT,
        ("ANY", "TEXT"): _AS_TEXT,
    }
    case_insensitive = True
    not_null = False
    begin = "begin immediate"

    def parameter(self, number: int) -> str:
        """Return the placeholder of the parameter `number`."""
        return f"?{number}"

    def create_table(self, table: Table) -> list[str]:
        """Return the statements that make `table`, STRICT."""
        made, *others = super().create_table(table)
        return [f"{made} strict", *others]

    def key_of(self, place: Place) -> str:
        """Return the name of the index that keeps the keys of the table at `place` unique."""
        return f"flow_key_{place[1]}"

    def add_key(self, table: Table) -> list[str]:
        """Return the statement that makes a unique index."""
        index = self.qualified((table.place[0], self.key_of(table.place)))
        return [f"create unique index {index} on {self.quote(table.place[1])} ({self.quoted(table.keys)})"]

    def drop_key(self, place: Place, key: str) -> list[str]:
        """Return the statement that drops the unique index `key`."""
        return [f"drop index {self.qualified((place[0], key))}"]

    def empty(self, table: str) -> str:
        """Return the statement that deletes all rows, which SQLite does at once."""
        return f"delete from {table}"  # noqa: S608 -- a quoted name

    def drop_not_null(self, place: Place, existing: ExistingColumn) -> list[str]:
        """Return the statements that put another column of the same type in its place."""
        return self._replace(place, existing.name, existing.type, self.quote(existing.name))

    def change_type(self, place: Place, existing: str, to: ColumnType, expression: str) -> list[str]:
        """Return the statements that put another column in its place: SQLite changes none."""
        return self._replace(place, existing, to.name, expression)

    def _replace(self, place: Place, column: str, type_name: str, expression: str) -> list[str]:
        table, old, new = self.qualified(place), self.quote(column), self.quote(f"flow_new_{column}")
        return [
            f"alter table {table} add column {new} {type_name}",
            f"update {table} set {new} = {expression}",  # noqa: S608 -- quoted names
            f"alter table {table} drop column {old}",
            f"alter table {table} rename column {new} to {old}",
        ]
