"""The tables of the store that are not documents, and how those of an older file become them."""

from __future__ import annotations

import duckdb

__all__ = ["LAYOUT", "prepare"]

LAYOUT = 3
"""Version of the tables below. A newer file is refused, an older one is migrated."""

_TABLES = (
    "create schema if not exists headwater",
    "create table if not exists headwater.layout (version integer)",
    "create table if not exists headwater.collections (id integer, name varchar, spec varchar, widths varchar)",
    (
        "create table if not exists headwater.tasks (name varchar, shard integer, state varchar, applied varchar, "
        "transactions bigint, documents bigint, sessions bigint, error varchar)"
    ),
)
_MIGRATIONS = {
    2: (
        "alter table headwater.collections add column generation varchar default ''",
        "alter table headwater.tasks add column kind varchar default 'capture'",
        "alter table headwater.tasks add column shards integer default 1",
        "alter table headwater.tasks add column read bigint default 0",
        "alter table headwater.tasks add column offsets varchar default '{}'",
        "alter table headwater.tasks add column backfills varchar default '{}'",
        "alter table headwater.tasks add column committed varchar default ''",
        # Layout 1 did not say how many shards a task was run with: those that have a record.
        (
            "update headwater.tasks set shards = n from "
            "(select name as task, count(*) as n from headwater.tasks group by name) where name = task"
        ),
    ),
    3: ("alter table headwater.tasks add column counters varchar default '{}'",),
}
"""What makes each layout of the one before it; the tables above are layout 1."""


def prepare(db: duckdb.DuckDBPyConnection) -> int:
    """The tables are there, in this layout. Returns the layout of the file: a newer one is left alone.

    Call it within a transaction.
    """
    for statement in _TABLES:
        db.execute(statement)
    row = db.execute("select max(version) from headwater.layout").fetchone()
    found = row[0] if row and row[0] is not None else 1
    for version in range(found + 1, LAYOUT + 1):
        for statement in _MIGRATIONS[version]:
            db.execute(statement)
    if found < LAYOUT:
        db.execute("delete from headwater.layout")
        db.execute("insert into headwater.layout values ($1)", [LAYOUT])
    return int(found)
