"""The transactions of a SQL materialization.

Keys and documents wait in temporary tables, outside of any transaction. `start_commit` then does everything in one
short transaction: the fence is checked first, and locked; then documents go to their tables. So a session that has
been replaced writes nothing, and keeps nobody waiting for long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from python.materialize_requests import Load, Store
from python.materialize_sql.endpoint import Endpoint
from python.materialize_sql.fences import Fence
from python.materialize_sql.tables import Column, Table
from python.materialize_transactor import Transactor
from python.protocol.errors import ConnectorError
from python.protocol.materialize import Loaded

__all__ = ["SqlTransactor"]


class SqlTransactor(Transactor):
    """A session with the database, which is the authority over the checkpoint.

    With `hard_delete`, rows of deleted documents go; else they stay, as documents that say so.
    """

    def __init__(self, endpoint: Endpoint, tables: Sequence[Table], fence: Fence, *, hard_delete: bool) -> None:
        self._endpoint = endpoint
        self._dialect = endpoint.dialect
        self._tables = tables
        self._fence = fence
        self._hard_delete = hard_delete
        self._made: set[str] = set()
        self._waiting: dict[str, Table] = {}
        self.runtime_checkpoint = msgspec.Raw(fence.checkpoint.encode())

    def load(self, keys: Sequence[Load]) -> Iterable[Loaded]:
        """Yield the stored documents of those of `keys` that exist."""
        for binding, rows in _by_binding(keys):
            table = self._tables[binding]
            with self._endpoint.telling(f"load documents of table {table.named}"):
                staged = self._stage("load", table, table.keys, [load.key for load in rows])
                yield from self._loaded(table, self._dialect.load(table, staged))
                self._endpoint.execute(self._dialect.empty(staged))

    def _loaded(self, table: Table, query: str) -> Iterator[Loaded]:
        for text in self._endpoint.documents(query):
            yield Loaded(binding=table.binding, doc=msgspec.Raw(text))

    def store(self, documents: Sequence[Store]) -> None:
        """Take documents in; they wait in temporary tables."""
        for binding, found in _by_binding(documents):
            table = self._tables[binding]
            with self._endpoint.telling(f"take in documents for table {table.named}"):
                hard = self._hard_delete and not table.delta
                kept = [store for store in found if not store.delete] if hard else found
                gone = [store.key for store in found if store.delete] if hard else []
                if kept:
                    self._waiting[self._stage("store", table, table.columns, _rows(table, kept))] = table
                if gone:
                    self._waiting[self._stage("delete", table, table.keys, gone)] = table

    def start_commit(self, checkpoint: msgspec.Raw) -> None:
        """Write documents and checkpoint in one transaction, which `commit` commits."""
        endpoint = self._endpoint
        with endpoint.telling("begin the transaction"):
            endpoint.begin()
        try:
            with endpoint.telling("write the checkpoint"):
                self._fence.write(endpoint, bytes(checkpoint).decode())
            for staged, table in self._waiting.items():
                with endpoint.telling(f"store documents in table {table.named}"):
                    self._merge(staged, table)
        except ConnectorError:
            endpoint.roll_back()
            raise
        self._waiting.clear()

    def commit(self) -> None:
        """Commit in the database."""
        with self._endpoint.telling("commit"):
            self._endpoint.commit()

    def close(self) -> None:
        """End the session."""
        self._endpoint.close()

    def _merge(self, staged: str, table: Table) -> None:
        write = self._dialect.append if table.delta else self._dialect.upsert
        if staged == self._named("delete", table):
            write = self._dialect.delete
        for statement in write(table, staged):
            self._endpoint.execute(statement)
        self._endpoint.execute(self._dialect.empty(staged))

    def _stage(self, purpose: str, table: Table, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> str:
        """Add `rows` to the temporary table of a binding and a purpose, and return its name in SQL."""
        staged = self._named(purpose, table)
        converted = table.converted(columns, rows)
        if staged not in self._made:
            self._endpoint.execute(self._dialect.stage(_name(purpose, table), table.place, columns))
            self._made.add(staged)
        self._endpoint.copy(staged, columns, converted)
        return staged

    def _named(self, purpose: str, table: Table) -> str:
        return self._dialect.staged(_name(purpose, table))


def _name(purpose: str, table: Table) -> str:
    return f"flow_{purpose}_{table.binding}"


def _rows(table: Table, stores: Sequence[Store]) -> list[tuple[Any, ...]]:
    """Return the rows of documents, in the order of the table's columns."""
    if table.document is None:
        return [store.key + store.values for store in stores]
    return [(*store.key, *store.values, store.doc) for store in stores]


def _by_binding(found: Sequence[Any]) -> Iterable[tuple[int, list[Any]]]:
    """Return loads or stores by their bindings, in the order in which they came."""
    sorted_: dict[int, list[Any]] = {}
    for each in found:
        sorted_.setdefault(each.binding, []).append(each)
    return sorted_.items()
