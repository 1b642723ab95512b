"""A session with a DuckDB file."""

from __future__ import annotations

import contextlib
import string
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import duckdb
import pyarrow as pa

from materialize_duckdb.dialect import DuckdbDialect
from python.materialize_sql.endpoint import Endpoint, sentence
from python.materialize_sql.planner import Found
from python.materialize_sql.tables import Column, ExistingColumn, ExistingTable, Place
from python.protocol.errors import ConfigError

__all__ = ["DuckdbEndpoint"]

ROWS_AT_ONCE = 2048
"""Documents that are fetched at once: as many as DuckDB itself works on."""

CACHE_MB = 32
"""Of the file, how much stays in memory from one transaction to the next; DuckDB by itself keeps all there is room for.

Within a transaction there is no limit: DuckDB would fail where long texts do not fit it.
"""

_ROWS = "flow_rows"  # what is copied
_COLUMNS = """
select column_name, data_type, is_nullable from duckdb_columns()
where database_name = current_database()
and translate(schema_name, $3, $4) = $1 and translate(table_name, $3, $4) = $2
order by column_index
"""
_SCHEMAS = "select schema_name from duckdb_schemas() where database_name = current_database()"


class DuckdbEndpoint(Endpoint):
    """A session with the file at `path`, which is made where it is missing. No other process can open it meanwhile."""

    failures: ClassVar[tuple[type[Exception], ...]] = (duckdb.Error,)

    def __init__(self, path: str) -> None:
        self.dialect = DuckdbDialect()
        try:
            self._db = duckdb.connect(path)
        except duckdb.Error as failure:
            want = f"a DuckDB file that no other process has open ({sentence(failure)})"
            raise ConfigError(at="/path", got=path, want=want) from None

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        return self._db.execute(sql, parameters or None).fetchall()

    def inspect(self, places: Sequence[Place]) -> Found:
        """Return what the file has of the tables at `places`."""
        found = {place: self._table(place) for place in places}
        schemas = frozenset(schema for (schema,) in self.execute(_SCHEMAS))
        return Found(schemas=schemas, tables={place: table for place, table in found.items() if table})

    def _table(self, place: Place) -> ExistingTable | None:
        columns = self.execute(
            _COLUMNS, (*map(self.dialect.fold, place), string.ascii_uppercase, string.ascii_lowercase)
        )
        if not columns:
            return None
        ((occupied,),) = self.execute(f"select exists (select 1 from {self.dialect.qualified(place)})")  # noqa: S608 -- a quoted name
        return ExistingTable(columns=tuple(ExistingColumn(*column) for column in columns), occupied=bool(occupied))

    def commit(self) -> None:
        """Commit the transaction, and let go of what of the file is kept in memory beyond `CACHE_MB`."""
        super().commit()
        with contextlib.suppress(duckdb.Error):  # more than that is in use
            self.execute(f"set memory_limit = '{CACHE_MB}MB'")
        self.execute("reset memory_limit")

    def copy(self, table: str, columns: Sequence[Column], values: Sequence[Sequence[Any]]) -> None:
        """Add rows to the temporary `table`: as columns of Arrow, which cost a third of texts that DuckDB splits."""
        names = [f"column{number}" for number in range(len(columns))]
        selected = [
            f"from_base64({name})" if column.type.name == "BLOB" else name
            for name, column in zip(names, columns, strict=True)
        ]
        arrays = [_array(column.type.name, each) for column, each in zip(columns, values, strict=True)]
        self._db.register(_ROWS, pa.table(arrays, names))
        self.execute(f"insert into {table} select {', '.join(selected)} from temp.{_ROWS}")  # noqa: S608 -- names of ours
        self._db.unregister(_ROWS)

    def documents(self, query: str) -> Iterator[bytes]:
        """Yield the documents of `query`."""
        rows = self._db.execute(query)
        while found := rows.fetchmany(ROWS_AT_ONCE):
            for (text,) in found:
                yield text.encode()

    def close(self) -> None:
        """End the session."""
        self._db.close()


def _array(kind: str, values: Sequence[Any]) -> pa.Array:
    """Return the values of a column of the type `kind`. Integers are text where one of them has more than 64 bits."""
    try:
        return pa.array(values, _ARROW_TYPES.get(kind, pa.string)())
    except OverflowError:
        return pa.array([None if value is None else str(value) for value in values], pa.string())


_ARROW_TYPES = {"BOOLEAN": pa.bool_, "BIGINT": pa.int64, "HUGEINT": pa.int64, "DOUBLE": pa.float64}
