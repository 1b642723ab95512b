"""A session with a SQLite file."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from materialize_sqlite.dialect import SqliteDialect
from python.materialize_sql.endpoint import Endpoint, sentence
from python.materialize_sql.planner import Found
from python.materialize_sql.tables import Column, ExistingColumn, ExistingTable, Place
from python.protocol.errors import ConfigError

__all__ = ["SqliteEndpoint"]

BUSY_SECONDS_MAX = 60.0
"""How long to wait for another process that writes: shards write one after another."""

_COLUMNS = 'select name, type, "notnull" from pragma_table_info(?1, ?2)'
_INDEXES = """
select list.name, info.name, info.coll from pragma_index_list(?1, ?2) list, pragma_index_xinfo(list.name, ?2) info
where list."unique" and not list.partial and info.key order by list.seq, info.seqno
"""


class SqliteEndpoint(Endpoint):
    """A session with the file at `path`, which is made where it is missing."""

    dialect: SqliteDialect
    failures: ClassVar[tuple[type[Exception], ...]] = (sqlite3.Error,)

    def __init__(self, path: str) -> None:
        self.dialect = SqliteDialect()
        try:
            self._db = sqlite3.connect(path, BUSY_SECONDS_MAX, isolation_level=None, check_same_thread=False)
            self.execute("pragma journal_mode = wal")  # so that readers and the writer do not keep one another waiting
        except sqlite3.Error as failure:
            raise ConfigError(at="/path", got=path, want=f"a SQLite file ({sentence(failure)})") from None

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        return self._db.execute(sql, parameters).fetchall()

    def inspect(self, places: Sequence[Place]) -> Found:
        """Return what the file has of the tables at `places`."""
        found = {place: self._table(place) for place in places}
        return Found(schemas=frozenset({"main"}), tables={place: table for place, table in found.items() if table})

    def _table(self, place: Place) -> ExistingTable | None:
        schema, name = place
        columns = self.execute(_COLUMNS, (name, schema))
        if not columns:
            return None
        ((occupied,),) = self.execute(f"select exists (select 1 from {self.dialect.qualified(place)})")  # noqa: S608 -- a quoted name
        return ExistingTable(
            columns=tuple(ExistingColumn(column, kind, not required) for column, kind, required in columns),
            unique=self._unique(place),
            occupied=bool(occupied),
        )

    def _unique(self, place: Place) -> dict[str, tuple[str, ...]]:
        """Return the indexes that keep rows unique as `on conflict` has it, not by expressions or whatever the case."""
        schema, name = place
        found: dict[str, list[str | None]] = {}
        for index, column, collation in self.execute(_INDEXES, (name, schema)):
            exact = collation == "BINARY" or index == self.dialect.key_of(place)
            found.setdefault(index, []).append(column if exact else None)
        return {
            index: tuple(each for each in columns if each is not None)
            for index, columns in found.items()
            if None not in columns
        }

    def copy(self, table: str, columns: Sequence[Column], values: Sequence[Sequence[Any]]) -> None:
        """Add rows to the temporary `table`; a transaction that touches nothing else keeps nobody from the file."""
        places = ", ".join("?" for _ in columns)
        self.execute("begin")
        self._db.executemany(f"insert into {table} values ({places})", zip(*values, strict=True))  # noqa: S608 -- a quoted name
        self.execute("commit")

    def documents(self, query: str) -> Iterator[bytes]:
        """Yield the documents of `query`."""
        with contextlib.closing(self._db.execute(query)) as rows:
            for (text,) in rows:
                yield text.encode()

    def close(self) -> None:
        """End the session."""
        self._db.close()
