"""What the store knows of a task's shard, and the table it is kept in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb
import msgspec

from python.protocol import document

__all__ = ["TaskRecord", "load", "load_all", "save"]


class TaskRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the store knows of a task's shard.

    `kind` is capture, derivation or materialization, and `shards` the number of processes that the task was first run
    with. `state` is its connector state and `applied` the spec last applied (JSON text). `offsets` says how far a
    reader has read each of its sources (see `journal.source_name`). `backfills` says how often a binding was filled
    anew because its resource did not fit any more, and `counters` the highest `backfill` counter that it ever had in
    the spec, both by its state key without a counter; a transform has one by its name. Then counts: committed
    transactions, documents written, documents read, sessions begun. `committed` is when the last transaction was (RFC
    3339), and `error` why the last session failed, or nothing.
    """

    state: object = None
    applied: str = ""
    transactions: int = 0
    documents: int = 0
    sessions: int = 0
    error: str = ""
    kind: str = "capture"
    shards: int = 1
    read: int = 0
    offsets: Mapping[str, int] = {}
    backfills: Mapping[str, int] = {}
    counters: Mapping[str, int] = {}
    committed: str = ""


_COLUMNS = (
    "state",
    "applied",
    "transactions",
    "documents",
    "sessions",
    "error",
    "kind",
    "shards",
    "read",
    "offsets",
    "backfills",
    "counters",
    "committed",
)


def load(db: duckdb.DuckDBPyConnection, name: str, shard: int) -> TaskRecord:
    """Return what is stored of a task's shard, or an empty record with the state `{}`."""
    row = db.execute(f"{_select()} where name = $1 and shard = $2", [name, shard]).fetchone()
    return TaskRecord(state={}) if row is None else _record(row[2:])


def load_all(db: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, int, TaskRecord]]:
    """Yield what is stored of every task's shard, in the order of names and shards."""
    for row in db.execute(f"{_select()} order by name, shard").fetchall():
        yield row[0], row[1], _record(row[2:])


def save(db: duckdb.DuckDBPyConnection, task: tuple[str, int], record: TaskRecord) -> None:
    """Replace what is stored of a task's shard, within the transaction that the caller has begun."""
    db.execute("delete from headwater.tasks where name = $1 and shard = $2", list(task))
    values = [getattr(record, column) for column in _COLUMNS]
    texts = [value if isinstance(value, (str, int)) else document.encode(value).decode() for value in values]
    numbered = ", ".join(f"${number}" for number in range(1, 3 + len(_COLUMNS)))
    columns = ", ".join(("name", "shard", *_COLUMNS))
    db.execute(f"insert into headwater.tasks ({columns}) values ({numbered})", [*task, *texts])  # noqa: S608 -- names of ours


def _select() -> str:
    return f"select name, shard, {', '.join(_COLUMNS)} from headwater.tasks"  # noqa: S608 -- same


def _record(row: tuple[object, ...]) -> TaskRecord:
    values = {column: value for column, value in zip(_COLUMNS, row, strict=True) if value is not None}
    for column in ("state", "offsets", "backfills", "counters"):
        if column in values:
            values[column] = document.decode(str(values[column]).encode())
    return TaskRecord(**values)  # type: ignore[arg-type] # as the table has them
