"""The embedded store: one DuckDB file with captured collections and the state of the tasks that captured them.

A collection is a table with one row a key: the reduced document, as JSON text. What a task has captured and the
connector state it resumes from commit in one transaction of DuckDB; a process killed at any moment leaves the last
commit. There is no index over keys: memory stays flat, and a batch finds its older rows by one scan.
"""

from __future__ import annotations

import functools
import pathlib
import threading
from collections.abc import Callable, Mapping, Sequence

import duckdb
import msgspec

from python.protocol import document
from python.protocol.errors import HeadwaterError
from python.runner.combiner import Collector, Combined
from python.runner.views import Column, view_sql

__all__ = ["Store", "StoreError", "TaskRecord", "readable_error"]

LAYOUT = 1
"""Version of the tables below. A newer file is refused, an older one would be migrated here."""

MEMORY_LIMIT = "160MB"
"""What DuckDB may keep in memory: enough for the batches of one transaction, so that it never grows with the file."""

THREADS = 1
"""DuckDB's threads: on two cores the connector needs the other one."""

_TABLES = """
create schema if not exists headwater;
create table if not exists headwater.layout (version integer);
create table if not exists headwater.collections (id integer, name varchar, spec varchar);
create table if not exists headwater.tasks (
    name varchar, shard integer, state varchar, applied varchar, transactions bigint, documents bigint
);
"""


class StoreError(HeadwaterError):
    """The store cannot be used: another process has it, the disk is full, or the file is none of ours."""


class TaskRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the store knows of a task's shard: its connector `state`, the spec last `applied` (JSON), and its counts."""

    state: object = None
    applied: str = ""
    transactions: int = 0
    documents: int = 0


class Store:
    """An open store. Use from several threads; one transaction is open at a time."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._ids: dict[str, int] = {}
        self._staged = False
        try:
            pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._db = duckdb.connect(path, config={"memory_limit": MEMORY_LIMIT, "threads": THREADS})
            self._prepare()
        except (duckdb.Error, OSError) as error:
            raise readable_error(path, error) from None

    def close(self) -> None:
        """Everything committed is in the file."""
        with self._lock:
            self._db.close()

    def task(self, name: str, shard: int) -> TaskRecord:
        """Return what is stored of a task's shard, or an empty record."""
        with self._lock:
            row = self._db.execute(
                "select state, applied, transactions, documents from headwater.tasks where name = $1 and shard = $2",
                [name, shard],
            ).fetchone()
        if row is None:
            return TaskRecord(state={})
        state = document.decode(row[0].encode())
        return TaskRecord(state=state, applied=row[1], transactions=row[2], documents=row[3])

    def declare(self, collections: Mapping[str, tuple[bytes, Sequence[Column]]]) -> None:
        """Each collection has its table, and its view, named after it, with a column for each of its locations."""
        with self._lock:
            self._begin()
            for name, given in collections.items():
                self._guarded(functools.partial(self._declare, name, *given))
            self._guarded(self._db.commit)
            self._staged = False

    def stage(self, collectors: Sequence[Collector], documents: Sequence[Combined]) -> None:
        """Write part of a transaction that is too large for memory; `commit` or `roll_back` decides about it."""
        with self._lock:
            self._begin()
            self._write(collectors, documents)

    def commit(
        self, task: tuple[str, int], record: TaskRecord, collectors: Sequence[Collector], documents: Sequence[Combined]
    ) -> None:
        """The documents, what was staged before, and the task's record are committed together, or not at all."""
        with self._lock:
            self._begin()
            self._write(collectors, documents)
            self._save(task, record)
            self._guarded(self._db.commit)
            self._staged = False

    def save(self, task: tuple[str, int], record: TaskRecord) -> None:
        """The task's record alone is committed."""
        self.commit(task, record, (), ())

    def roll_back(self) -> None:
        """What was staged since the last commit is gone."""
        with self._lock:
            if self._staged:
                self._db.rollback()
                self._staged = False

    def rows(self, collection: str) -> int:
        """Return the number of documents in a collection."""
        with self._lock:
            row = self._db.execute(f"select count(*) from {self._table(collection)}").fetchone()  # noqa: S608 -- a number
        return int(row[0]) if row else 0

    def _prepare(self) -> None:
        self._db.execute("set preserve_insertion_order = false")
        self._db.execute(_TABLES)
        row = self._db.execute("select max(version) from headwater.layout").fetchone()
        if row is None or row[0] is None:
            self._db.execute("insert into headwater.layout values ($1)", [LAYOUT])
        elif row[0] > LAYOUT:
            raise StoreError(
                f"{self.path} was written by a newer headwater (layout {row[0]}, here {LAYOUT}): update headwater"
            )
        self._ids = dict(self._db.execute("select name, id from headwater.collections").fetchall())
        self._db.execute("create temp table batch (key varchar, doc varchar)")

    def _declare(self, name: str, spec: bytes, columns: Sequence[Column]) -> None:
        clash = next((other for other in self._ids if other != name and other.lower() == name.lower()), None)
        if clash is not None:
            raise StoreError(
                f"the collections {clash!r} and {name!r} differ by case alone, which DuckDB cannot tell apart"
            )
        if name not in self._ids:
            self._ids[name] = len(self._ids) + 1
            self._db.execute("insert into headwater.collections values ($1, $2, $3)", [self._ids[name], name, ""])
        table = self._table(name)
        self._db.execute(f"create table if not exists {table} (key varchar, doc varchar)")
        self._db.execute("update headwater.collections set spec = $1 where name = $2", [spec.decode(), name])
        self._db.execute(view_sql(name, table, columns))

    def _write(self, collectors: Sequence[Collector], documents: Sequence[Combined]) -> None:
        for collector, combined in zip(collectors, documents, strict=True):
            if combined:
                self._guarded(functools.partial(self._upsert, collector, combined))

    def _upsert(self, collector: Collector, combined: Combined) -> None:
        table = self._table(collector.name)
        execute = self._db.execute
        execute("truncate batch")
        keys = [key.decode() for key in combined]
        execute(
            "insert into batch select unnest($1), unnest($2)", [keys, [text.decode() for text in combined.values()]]
        )
        if execute(f"select 1 from {table} limit 1").fetchone():  # noqa: S608 -- the table's name is a number of ours
            if collector.plan is not None:
                self._load(table, collector, combined)
            execute(f"delete from {table} using batch where {table}.key = batch.key")  # noqa: S608 -- same
        elif collector.plan is not None:
            self._reduce(collector, combined, {})
        execute(f"insert into {table} select key, doc from batch")  # noqa: S608 -- same

    def _load(self, table: str, collector: Collector, combined: Combined) -> None:
        stored = self._db.execute(f"select {table}.key, {table}.doc from {table} join batch using (key)")  # noqa: S608 -- same
        self._reduce(collector, combined, {key.encode(): doc.encode() for key, doc in stored.fetchall()})

    def _reduce(self, collector: Collector, combined: Combined, stored: Combined) -> None:
        """Replace the batch by its fully reduced documents; a deleted one leaves a key without a document."""
        changed: list[tuple[str, str | None]] = []
        for key, text in combined.items():
            reduced = collector.reduce(stored.get(key), text)
            if reduced is not text:
                changed.append((key.decode(), reduced.decode() if reduced is not None else None))
        if changed:
            keys, texts = zip(*changed, strict=True)
            self._db.execute(
                "update batch set doc = changed.doc from (select unnest($1) as key, unnest($2::varchar[]) as doc) "
                "as changed where batch.key = changed.key",
                [list(keys), list(texts)],
            )

    def _save(self, task: tuple[str, int], record: TaskRecord) -> None:
        self._db.execute("delete from headwater.tasks where name = $1 and shard = $2", list(task))
        values = [*task, document.encode(record.state).decode(), record.applied, record.transactions, record.documents]
        self._db.execute("insert into headwater.tasks values ($1, $2, $3, $4, $5, $6)", values)

    def _table(self, collection: str) -> str:
        return f"headwater.documents_{self._ids[collection]}"

    def _begin(self) -> None:
        if not self._staged:
            self._db.begin()
            self._staged = True

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except duckdb.Error as error:
            self.roll_back()
            raise readable_error(self.path, error) from None


def readable_error(path: str, error: Exception) -> StoreError:
    """Return what an error of DuckDB means for the person whose store it is."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    lowered = text.lower()
    if "lock" in lowered and "conflict" in lowered:
        return StoreError(f"{path} is in use by another process: stop it, or give another file with --store ({text})")
    if "no space" in lowered or "could not write" in lowered:
        return StoreError(
            f"{path} cannot be written: {text}; nothing of this transaction is in it, free space and run again"
        )
    if "not a valid duckdb" in lowered:
        return StoreError(f"{path} is not a DuckDB file: give another file with --store")
    return StoreError(f"{path}: {text}")
