"""The embedded store: one DuckDB file with captured collections and the state of the tasks that captured them.

A collection is a table with one row a key: the reduced document, as JSON text. What a task has captured and the
connector state it resumes from commit in one transaction of DuckDB; a process killed at any moment leaves the last
commit, and the file opens again with it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import pathlib
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import duckdb
import msgspec

from python.runner import layout, task_record
from python.runner.collector import Collector
from python.runner.combiner import Combined
from python.runner.documents_table import Table, Waiting
from python.runner.journal import Journal, Row, clock_of
from python.runner.layout import LAYOUT
from python.runner.store_errors import StoreError, readable_error, wants_memory
from python.runner.task_record import TaskRecord
from python.runner.views import Column

__all__ = ["LAYOUT", "MEMORY_LIMITS", "THREADS", "Store", "StoreError", "TaskRecord", "readable_error"]

MEMORY_LIMITS = ("32MB", "128MB", "512MB", "2GB")
"""What DuckDB may keep in memory: as little as batches of small documents need, so that memory is flat from the first
hundred thousand on. It works on 2,048 documents at once; where these are too large, the next limit is tried."""

THREADS = 1
"""DuckDB's threads: on two cores the connector needs the other one."""


_Result = TypeVar("_Result")


def _utc_now() -> dt.datetime:
    """Return the time."""
    return dt.datetime.now(dt.timezone.utc)


class Store:
    """An open store.

    Each thread that uses it has a transaction of its own: what it stages waits for its own `commit` or `roll_back`.
    Commits happen one after the other. Every method raises StoreError, a sentence, for whatever goes wrong.
    """

    def __init__(self, path: str, now: Callable[[], dt.datetime] = _utc_now) -> None:
        """Open the file at `path`, or make it. `now` tells when something is committed."""
        self.path = path
        self._now = now
        self._committing = threading.RLock()
        self._own = threading.local()
        self._tables: dict[str, Table] = {}
        self._larger_limits = list(MEMORY_LIMITS[1:])
        try:
            pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._db = duckdb.connect(path, config=_config(path))
        except (duckdb.Error, OSError) as error:
            raise readable_error(path, error) from None
        try:
            with self._readable():
                self._prepare()
        except StoreError:
            self._db.close()
            raise

    def close(self) -> None:
        """Everything committed is in the file; what was only staged is gone."""
        with self._readable():
            self._db.close()

    def task(self, name: str, shard: int) -> TaskRecord:
        """Return what is stored of a task's shard, or an empty record with the state `{}`."""
        with self._readable():
            return task_record.load(self._connection(), name, shard)

    def tasks(self) -> list[tuple[str, int, TaskRecord]]:
        """Return what is stored of every task's shard: its name, its number, its record."""
        with self._readable():
            return list(task_record.load_all(self._connection()))

    def declare(self, collections: Mapping[str, tuple[bytes, Sequence[Column]]]) -> None:
        """Each collection has its table, and its view, named after it; given as (spec, columns of the view).

        `spec` is a JSON object with the collection's `key`. Raises StoreError for a collection that is stored by
        another key, and for two names that differ by case alone; then nothing has changed.
        """
        with self._committing, self._readable(), self._transaction() as db:
            for name, (spec, columns) in collections.items():
                self._declare(db, name, spec.decode(), tuple(columns))

    def follow(self, collections: Iterable[str]) -> None:
        """Each of these declared collections has a journal; a new one begins with the documents that are there."""
        tables, clock = [self._tables[name] for name in collections], clock_of(self._now())
        with self._committing, self._readable():
            self._with_room(functools.partial(self._follow, tables, clock))
        for table in tables:
            self.journal(table.collection).settle(clock)

    def journal(self, collection: str) -> Journal:
        """Return the journal of a collection that was followed, with its current length."""
        found = self._tables[collection].journal
        assert found is not None, f"{collection} is not followed"  # noqa: S101 -- our own code alone can break it
        return found

    def lengths(self) -> dict[str, tuple[str, int]]:
        """Return, for each collection with a journal, the journal's generation and length."""
        journals = [(table.collection, table.journal) for table in list(self._tables.values())]
        return {name: (journal.generation, journal.length) for name, journal in journals if journal is not None}

    def read(self, collection: str, after: int, rows_max: int) -> list[Row]:
        """Return at most `rows_max` rows of a collection's journal after the one with the number `after`, in order."""
        with self._readable():
            journal = self.journal(collection)
            if journal.length <= after:  # nearly always, for a reader that waits
                return []
            return self._with_room(functools.partial(journal.rows, self._connection(), after, rows_max))

    def stage(self, collectors: Sequence[Collector], documents: Sequence[Combined]) -> None:
        """Put aside part of a transaction that is too large for memory; `commit` or `roll_back` decides about it."""
        waiting = self._waiting()
        with self._readable():
            for collector, combined in zip(collectors, documents, strict=True):
                if combined and collector.name not in waiting:
                    waiting[collector.name] = Waiting(self._connection(), self._tables[collector.name], collector)
                if combined:
                    self._with_room(functools.partial(waiting[collector.name].add, combined))

    def commit(
        self, task: tuple[str, int], record: TaskRecord, collectors: Sequence[Collector], documents: Sequence[Combined]
    ) -> None:
        """The documents, what this thread staged before, and the task's record commit together, or not at all."""
        try:
            self.stage(collectors, documents)
            with self._committing, self._readable():
                self._with_room(functools.partial(self._commit, task, record))
        finally:
            self.roll_back()

    def save(self, task: tuple[str, int], record: TaskRecord) -> None:
        """The task's record alone is committed."""
        with self._committing, self._readable(), self._transaction() as db:
            task_record.save(db, task, record)

    def roll_back(self) -> None:
        """What this thread staged since its last commit is gone."""
        waiting = self._waiting()
        while waiting:
            _, staged = waiting.popitem()
            with contextlib.suppress(duckdb.Error):  # a database that failed keeps nothing temporary
                staged.forget()

    def rows(self, collection: str) -> int:
        """Return the number of documents in a collection."""
        with self._readable():
            row = self._connection().execute(f"select count(*) from {self._tables[collection].name}").fetchone()  # noqa: S608 -- a name of ours
        return int(row[0]) if row else 0

    def _prepare(self) -> None:
        self._db.execute("set preserve_insertion_order = false")
        with self._transaction() as db:
            found = layout.prepare(db)
            if found > LAYOUT:
                raise StoreError(
                    f"{self.path} was written by a newer headwater (layout {found}, here {LAYOUT}): update headwater"
                )
            self._recall(db)

    def _recall(self, db: duckdb.DuckDBPyConnection) -> None:
        """Bring what is kept in memory of the tables in line with the file."""
        rows = db.execute("select id, name, widths, generation from headwater.collections").fetchall()
        for number, name, widths, generation in rows:
            known = self._tables.setdefault(name, Table(number, name))
            known.widths = msgspec.json.decode(widths, type=dict[str, str])
            known.journal = Journal(number, generation) if generation else None
            if known.journal is not None:
                known.journal.recall(db)

    def _declare(self, db: duckdb.DuckDBPyConnection, name: str, spec: str, columns: tuple[Column, ...]) -> None:
        rows = db.execute("select id, name, spec from headwater.collections").fetchall()
        found = next((row for row in rows if row[1].lower() == name.lower()), None)
        if found is None:
            number = len(rows) + 1
            db.execute("insert into headwater.collections values ($1, $2, $3, '{}', '')", [number, name, spec])
            db.execute(f"create table headwater.documents_{number} (key varchar, doc varchar, transaction bigint)")
            self._tables[name] = Table(number, name)
        else:
            self._check(name, spec, found)
            db.execute("update headwater.collections set spec = $1 where id = $2", [spec, found[0]])
        table = self._tables[name]
        table.columns = columns
        db.execute(table.view_sql())

    def _check(self, name: str, spec: str, found: tuple[int, str, str]) -> None:
        if found[1] != name:
            raise StoreError(
                f"{self.path} has the collection {found[1]!r}, which differs from {name!r} by case alone, and DuckDB "
                "cannot tell them apart: rename one of them, or give another file with --store"
            )
        stored, wanted = (msgspec.json.decode(text).get("key") for text in (found[2], spec))
        if stored != wanted:
            raise StoreError(
                f"{self.path} has the collection {name} by the key {stored}, and its spec now says {wanted}: give the "
                "collection another name, or another file with --store"
            )

    def _commit(self, task: tuple[str, int], record: TaskRecord) -> None:
        now = self._now()
        with self._transaction() as db:
            for waiting in self._waiting().values():
                waiting.apply(record.transactions, clock_of(now))
            task_record.save(db, task, msgspec.structs.replace(record, committed=now.isoformat()))
        for waiting in self._waiting().values():
            waiting.settle(clock_of(now))

    def _follow(self, tables: Iterable[Table], clock: int) -> None:
        with self._transaction() as db:
            for table in tables:
                if table.journal is None:
                    table.journal = Journal(table.number, uuid.uuid4().hex)
                    table.journal.create(db, table.name, clock)
                    values = [table.journal.generation, table.number]
                    db.execute("update headwater.collections set generation = $1 where id = $2", values)

    def _with_room(self, work: Callable[[], _Result]) -> _Result:
        """Return what `work` does, done again with more memory where it failed for want of it."""
        while True:
            try:
                return work()
            except duckdb.Error as error:  # noqa: PERF203 -- the loop is there for the error
                if not wants_memory(error) or not self._larger_limits:
                    raise
                self._db.cursor().execute(f"set memory_limit = '{self._larger_limits.pop(0)}'")

    def _connection(self) -> duckdb.DuckDBPyConnection:
        """This thread's own connection: DuckDB gives each its own transaction and temporary tables."""
        if not hasattr(self._own, "db"):
            self._own.db = self._db.cursor()
        connection: duckdb.DuckDBPyConnection = self._own.db
        return connection

    def _waiting(self) -> dict[str, Waiting]:
        """What this thread has staged, by collection."""
        if not hasattr(self._own, "waiting"):
            self._own.waiting = {}
        waiting: dict[str, Waiting] = self._own.waiting
        return waiting

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """What is done inside commits at the end; where it fails, nothing of it has happened."""
        db = self._connection()
        db.begin()
        try:
            yield db
            db.commit()
        except BaseException:
            with contextlib.suppress(duckdb.Error):  # the first error says why; this one only that there is no more
                db.rollback()
                self._recall(db)
            raise

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, OSError) as error:
            raise readable_error(self.path, error) from None


def _config(path: str) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "memory_limit": MEMORY_LIMITS[0],
        "threads": THREADS,
        "temp_directory": f"{path}.tmp",
        "autoinstall_known_extensions": False,  # the runner works offline, and needs none
    }
