"""The embedded store: one DuckDB file with captured collections and the state of the tasks that captured them.

A collection is a table with one row a key: the reduced document, as JSON text. What a task has captured and the
connector state it resumes from commit in one transaction of DuckDB; a process killed at any moment leaves the last
commit, and the file opens again with it.
"""

from __future__ import annotations

import contextlib
import functools
import pathlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

import duckdb
import msgspec

from python.protocol import document
from python.runner.collector import Collector
from python.runner.combiner import Combined
from python.runner.documents_table import Table, Waiting
from python.runner.store_errors import StoreError, readable_error, wants_memory
from python.runner.views import Column

__all__ = ["LAYOUT", "MEMORY_LIMITS", "THREADS", "Store", "StoreError", "TaskRecord", "readable_error"]

LAYOUT = 1
"""Version of the tables below. A newer file is refused, an older one would be migrated here."""

MEMORY_LIMITS = ("32MB", "128MB", "512MB", "2GB")
"""What DuckDB may keep in memory: as little as batches of small documents need, so that memory is flat from the first
hundred thousand on. It works on 2,048 documents at once; where these are too large, the next limit is tried."""

THREADS = 1
"""DuckDB's threads: on two cores the connector needs the other one."""

_TABLES = (
    "create schema if not exists headwater",
    "create table if not exists headwater.layout (version integer)",
    "create table if not exists headwater.collections (id integer, name varchar, spec varchar, widths varchar)",
    (
        "create table if not exists headwater.tasks (name varchar, shard integer, state varchar, applied varchar, "
        "transactions bigint, documents bigint, sessions bigint, error varchar)"
    ),
)


class TaskRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the store knows of a task's shard.

    `state` is its connector state and `applied` the spec last applied (JSON text); then counts of committed
    transactions, of documents captured, of sessions begun, and why the last session failed, or nothing.
    """

    state: object = None
    applied: str = ""
    transactions: int = 0
    documents: int = 0
    sessions: int = 0
    error: str = ""


class Store:
    """An open store.

    Each thread that uses it has a transaction of its own: what it stages waits for its own `commit` or `roll_back`.
    Commits happen one after the other. Every method raises StoreError, a sentence, for whatever goes wrong.
    """

    def __init__(self, path: str) -> None:
        """Open the file at `path`, or make it."""
        self.path = path
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
            found = self._connection().execute(
                "select state, applied, transactions, documents, sessions, error from headwater.tasks "
                "where name = $1 and shard = $2",
                [name, shard],
            )
            row = found.fetchone()
        if row is None:
            return TaskRecord(state={})
        return TaskRecord(
            state=document.decode(row[0].encode()),
            applied=row[1],
            transactions=row[2],
            documents=row[3],
            sessions=row[4],
            error=row[5],
        )

    def declare(self, collections: Mapping[str, tuple[bytes, Sequence[Column]]]) -> None:
        """Each collection has its table, and its view, named after it; given as (spec, columns of the view).

        `spec` is a JSON object with the collection's `key`. Raises StoreError for a collection that is stored by
        another key, and for two names that differ by case alone; then nothing has changed.
        """
        with self._committing, self._readable(), self._transaction() as db:
            for name, (spec, columns) in collections.items():
                self._declare(db, name, spec.decode(), tuple(columns))

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
            self._save(db, task, record)

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
            for statement in _TABLES:
                db.execute(statement)
            row = db.execute("select max(version) from headwater.layout").fetchone()
            if row is None or row[0] is None:
                db.execute("insert into headwater.layout values ($1)", [LAYOUT])
            elif row[0] > LAYOUT:
                raise StoreError(
                    f"{self.path} was written by a newer headwater (layout {row[0]}, here {LAYOUT}): update headwater"
                )
            self._recall(db)

    def _recall(self, db: duckdb.DuckDBPyConnection) -> None:
        """Bring what is kept in memory of the tables in line with the file."""
        for number, name, widths in db.execute("select id, name, widths from headwater.collections").fetchall():
            known = self._tables.setdefault(name, Table(number, name))
            known.widths = msgspec.json.decode(widths, type=dict[str, str])

    def _declare(self, db: duckdb.DuckDBPyConnection, name: str, spec: str, columns: tuple[Column, ...]) -> None:
        rows = db.execute("select id, name, spec from headwater.collections").fetchall()
        found = next((row for row in rows if row[1].lower() == name.lower()), None)
        if found is None:
            number = len(rows) + 1
            db.execute("insert into headwater.collections values ($1, $2, $3, '{}')", [number, name, spec])
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
        with self._transaction() as db:
            for waiting in self._waiting().values():
                waiting.apply(record.transactions)
            self._save(db, task, record)

    def _with_room(self, work: Callable[[], None]) -> None:
        """Do `work`, and again with more memory where it failed for want of it."""
        while True:
            try:
                return work()
            except duckdb.Error as error:  # noqa: PERF203 -- the loop is there for the error
                if not wants_memory(error) or not self._larger_limits:
                    raise
                self._db.cursor().execute(f"set memory_limit = '{self._larger_limits.pop(0)}'")

    def _save(self, db: duckdb.DuckDBPyConnection, task: tuple[str, int], record: TaskRecord) -> None:
        db.execute("delete from headwater.tasks where name = $1 and shard = $2", list(task))
        state = document.encode(record.state).decode()
        counts = [record.transactions, record.documents, record.sessions]
        values = [*task, state, record.applied, *counts, record.error]
        db.execute("insert into headwater.tasks values ($1, $2, $3, $4, $5, $6, $7, $8)", values)

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
