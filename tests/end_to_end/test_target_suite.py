"""Our materializations pass the suite that we publish for everybody's."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from python.acceptance.target_suite import CASES, Target, check
from tests.conversing import ROOT
from tests.end_to_end.materializations import command
from tests.postgres import PASSWORD, Postgres, postgres

pytestmark = pytest.mark.slow

BY_CASE = "does not tell 'Name' from 'name'"
ONE_WRITER = "no other process has open"
Start = Callable[[Path, Callable[[], Postgres]], Target]


def started(name: str, config: dict[str, Any], rows: Any, **exceptions: str) -> Target:
    """The connector `name`, in this process as far as it can be; names of exceptions have `_` for what is no letter."""
    kind = importlib.import_module(name.replace("-", "_"))
    return Target(
        command=tuple(command(name)),
        make=getattr(kind, kind.__all__[0]),
        config=config,
        rows=rows,
        env={"PYTHONPATH": str(ROOT)},
        cwd=str(ROOT),
        exceptions={case: exceptions[key] for case in CASES if (key := _identifier(case)) in exceptions},
    )


def _identifier(case: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in case)


def _texts(cursor: Any) -> list[dict[str, Any]]:
    names = [each[0] for each in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def sqlite(folder: Path, _server: Callable[[], Postgres]) -> Target:
    import sqlite3

    path = str(folder / "target.sqlite")

    def rows(table: str) -> list[dict[str, Any]]:
        with contextlib.closing(sqlite3.connect(path)) as db:
            quoted = '"' + table.replace('"', '""') + '"'
            found = _texts(db.execute(f"select * from {quoted}"))  # noqa: S608 -- quoted
        return [{name: None if value is None else _shown(value) for name, value in row.items()} for row in found]

    return started("materialize-sqlite", {"path": path}, rows, names_that_differ_by_case=BY_CASE)


def _shown(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def duckdb(folder: Path, _server: Callable[[], Postgres]) -> Target:
    import duckdb

    path = str(folder / "target.duckdb")

    def rows(table: str) -> list[dict[str, Any]]:
        with duckdb.connect(path) as db:
            quoted = '"' + table.replace('"', '""') + '"'
            return _texts(db.execute(f"select cast(columns(*) as varchar) from {quoted}"))  # noqa: S608 -- quoted

    alone = dict.fromkeys(("zombies", "zombies_amid_a_commit", "shards", "shards_of_delta_updates"), ONE_WRITER)
    return started("materialize-duckdb", {"path": path}, rows, names_that_differ_by_case=BY_CASE, **alone)


def on_postgres(folder: Path, server: Callable[[], Postgres]) -> Target:
    import psycopg
    from psycopg import sql

    port = server().port
    where = f"host=127.0.0.1 port={port} user=postgres dbname=postgres password='{PASSWORD}'"

    def rows(table: str) -> list[dict[str, Any]]:
        with psycopg.connect(where, autocommit=True) as db:
            place = sql.Identifier(folder.name, table)
            names = [
                each.name for each in db.execute(sql.SQL("select * from {} limit 0").format(place)).description or ()
            ]
            columns = sql.SQL(", ").join(sql.SQL("{0}::text as {0}").format(sql.Identifier(name)) for name in names)
            return _texts(db.execute(sql.SQL("select {} from {}").format(columns, place)))

    config = {"address": f"127.0.0.1:{port}", "password": PASSWORD, "schema": folder.name}
    return started("materialize-postgres", config, rows, U_0000_in_keys=r"the column holds text without U\+0000")


def parquet(folder: Path, _server: Callable[[], Postgres]) -> Target:
    import duckdb
    from materialize_parquet.folder import file_name

    def rows(table: str) -> list[dict[str, Any]]:
        parts = sorted(map(str, (folder / "tables" / file_name(table)).glob("part-*.parquet")))
        if not parts:
            return []
        union = "union_by_name = true" if len(parts) > 1 else "union_by_name = false"
        with duckdb.connect() as db:
            db.execute("set timezone = 'UTC'")
            found = _texts(db.execute(f"select cast(columns(*) as varchar) from read_parquet($1, {union})", [parts]))  # noqa: S608 -- ours
            if len(parts) > 1:
                return found
            named = db.execute("select name from parquet_schema($1) where num_children is null", [parts[0]]).fetchall()
        names = [name for (name,) in named]  # DuckDB itself renames columns that differ by case
        return [dict(zip(names, row.values(), strict=True)) for row in found]

    return started("materialize-parquet", {"url": str(folder / "tables")}, rows, shards="cannot be split into shards")


CONNECTORS: Mapping[str, Start] = {"sqlite": sqlite, "duckdb": duckdb, "postgres": on_postgres, "parquet": parquet}


@pytest.fixture(scope="module")
def server() -> Iterator[Callable[[], Postgres]]:
    """A PostgreSQL server for all cases, started by the first one that asks."""
    with contextlib.ExitStack() as stack:
        found: list[Postgres] = []

        def get() -> Postgres:
            if not found:
                found.append(stack.enter_context(postgres()))
            return found[0]

        yield get


@pytest.mark.parametrize("connector", CONNECTORS)
@pytest.mark.parametrize("case", CASES)
def test_our_materializations_pass(connector: str, case: str, tmp_path: Path, server: Callable[[], Postgres]) -> None:
    check(CONNECTORS[connector](tmp_path, server), case)
