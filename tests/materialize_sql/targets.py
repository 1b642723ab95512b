"""The databases that tests of SQL materializations store to."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from python.materialize_sql.connector import SqlConnector
from tests.postgres import PASSWORD, Postgres

NASTY_NAMES = (
    '"; drop table things; --',
    "select",
    "rowid",
    "Robert'); --",
    "with space and % and $1 and ?",
    "ünï/cödé 🦆",
    "a\\b\nc\td",
    "{}",
    "v{0}",
    "{x",
    "}",
    "%s",
    "%(x)s",
    "?1",
    "$1",
    ":x",
    '"',
    "\n",
)


class Target(NamedTuple):
    """A connector, its config, a query of its database from outside, the schema that it
    stores to by default, its name, its name of text, and a statement run from outside."""

    make: Callable[[], SqlConnector[Any, Any]]
    config: dict[str, Any]
    query: Callable[[str], list[tuple[Any, ...]]]
    schema: str
    name: str
    text: str
    run: Callable[[str], object]

    @property
    def dialect(self) -> Any:
        return self.make().dialect

    def rows(self, *columns: str, table: str = "things", order: str = "1") -> list[tuple[Any, ...]]:
        """The rows of a table in the order of a column; all columns where none is named."""
        names = ", ".join(map(self.dialect.quote, columns)) or "*"
        return self.query(f"select {names} from {self.dialect.qualified((self.schema, table))} order by {order}")  # noqa: S608 -- quoted

    def types(self, table: str = "things") -> dict[str, str]:
        place = (self.schema, table)
        endpoint = self.make().connect(_config(self))
        found = endpoint.inspect([place]).tables
        endpoint.close()
        return {column.name: column.type for column in found[place].columns} if place in found else {}


def nasty_names(target: Target) -> list[str]:
    """Names of columns and tables that the database has, though they look like anything else; none alike by case."""
    return [
        *NASTY_NAMES,
        "🦆" * (min(target.dialect.name_bytes_max, 200) // 4),
        "N" * min(target.dialect.name_bytes_max, 200),
    ]


def _config(target: Target) -> Any:
    import msgspec

    return target.make()._config_form.read(msgspec.Raw(msgspec.json.encode(target.config)))


def sqlite(folder: Path) -> Target:
    from materialize_sqlite import MaterializeSqlite

    path = str(folder / "target.sqlite")

    def query(sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        db = sqlite3.connect(path)
        try:
            return db.execute(sql, parameters).fetchall()
        finally:
            db.close()

    def run(statement: str) -> None:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute(statement)

    return Target(MaterializeSqlite, {"path": path}, query, "main", "sqlite", "text", run)


def duckdb(folder: Path) -> Target:
    from materialize_duckdb import MaterializeDuckdb

    path = str(folder / "target.duckdb")

    def query(sql: str) -> list[tuple[Any, ...]]:
        import duckdb

        with duckdb.connect(path) as db:
            return db.execute(sql).fetchall()

    return Target(MaterializeDuckdb, {"path": path}, query, "main", "duckdb", "varchar", query)


def postgres(server: Postgres, schema: str) -> Target:
    """A schema of its own on `server`."""
    pytest.importorskip("psycopg", reason="materialize-postgres has an environment of its own")
    import psycopg
    from materialize_postgres import MaterializePostgres

    where = f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres password='{PASSWORD}'"

    def query(sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(where, autocommit=True) as db:
            return db.execute(sql.encode()).fetchall()

    def run(statement: str) -> None:
        with psycopg.connect(where, autocommit=True) as db:
            db.execute(statement.encode())

    config = {"address": f"127.0.0.1:{server.port}", "password": PASSWORD, "schema": schema}
    return Target(MaterializePostgres, config, query, schema, "postgres", "text", run)
