"""A session with a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import psycopg
from psycopg.types.string import ByteaBinaryLoader

from materialize_postgres.dialect import PostgresDialect
from python.materialize_sql.endpoint import Endpoint
from python.materialize_sql.planner import Found
from python.materialize_sql.tables import Column, ExistingColumn, ExistingTable, Place

__all__ = ["PostgresEndpoint"]

ROWS_AT_ONCE = 2000
"""Documents that are fetched at once; each may have a megabyte."""

_SETTINGS = ("set timezone = 'UTC'", "set temp_buffers = '64MB'")
_COLUMNS = """
select n.nspname::text, c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), not a.attnotnull
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped
and (n.nspname::text, c.relname::text) in (select * from unnest($1::text[], $2::text[]))
order by a.attnum
"""
_UNIQUE = """
select k.conname::text, array_agg(a.attname::text) from pg_constraint k join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum = any(k.conkey)
where k.contype in ('p', 'u') and not k.condeferrable and n.nspname = $1 and c.relname = $2
group by k.conname, k.contype order by k.contype
"""
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\0": "\N{REPLACEMENT CHARACTER}"})
"""How COPY reads what is special in its text form; U+0000 it cannot read, and the whole document still has it."""


class PostgresEndpoint(Endpoint):
    """A session on a connection that is in autocommit mode, with `$1` as parameters."""

    failures: ClassVar[tuple[type[Exception], ...]] = (psycopg.Error,)

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.dialect = PostgresDialect()
        self._connection = connection
        connection.adapters.register_loader("json", ByteaBinaryLoader)  # as its bytes, which in binary form is its text
        for setting in _SETTINGS:
            connection.execute(setting)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        cursor = self._connection.execute(sql.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []

    def inspect(self, places: Sequence[Place]) -> Found:
        """Return what the database has of the tables at `places`."""
        columns: dict[Place, list[ExistingColumn]] = {}
        schemas, names = [schema for schema, _ in places], [name for _, name in places]
        for schema, table, *column in self.execute(_COLUMNS, (schemas, names)):
            columns.setdefault((schema, table), []).append(ExistingColumn(*column))
        return Found(
            schemas=frozenset(schema for (schema,) in self.execute("select nspname::text from pg_namespace")),
            tables={place: self._table(place, found) for place, found in columns.items()},
        )

    def _table(self, place: Place, columns: Sequence[ExistingColumn]) -> ExistingTable:
        unique = {name: tuple(keys) for name, keys in self.execute(_UNIQUE, place)}
        ((occupied,),) = self.execute(f"select exists (select from {self.dialect.qualified(place)})")  # noqa: S608 -- a quoted name
        return ExistingTable(columns=tuple(columns), unique=unique, occupied=occupied)

    def copy(self, table: str, columns: Sequence[Column], values: Sequence[Sequence[Any]]) -> None:
        """Add rows to the temporary `table` with COPY."""
        del columns  # PostgreSQL knows how the text of each type is read
        lines = map("\t".join, zip(*map(_escaped, values), strict=True))
        with self._connection.cursor() as cursor, cursor.copy(f"copy {table} from stdin".encode()) as copy:
            copy.write("\n".join(lines) + "\n")

    def documents(self, query: str) -> Iterator[bytes]:
        """Yield the documents of `query`, through a cursor of the server's."""
        with self._connection.transaction(), self._connection.cursor(name="flow_documents", binary=True) as cursor:
            cursor.itersize = ROWS_AT_ONCE
            for (text,) in cursor.execute(query.encode()):
                yield text

    def close(self) -> None:
        """End the session."""
        self._connection.close()


def _escaped(values: Sequence[str | None]) -> Sequence[str]:
    """Return the values of a column as COPY reads them: those of nearly every column are as they are."""
    texts = [value for value in values if value is not None]
    whole = "".join(texts)
    special = any(map(whole.__contains__, "\\\n\r\t\0"))
    if len(texts) == len(values):
        return [value.translate(_ESCAPES) for value in texts] if special else texts
    return [r"\N" if value is None else value.translate(_ESCAPES) for value in values]
