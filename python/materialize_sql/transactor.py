"""The transactions of a SQL materialization.

Keys and documents wait in temporary tables, outside of any transaction. `commit` then does everything in one short
transaction: the fence is checked first, and locked; then documents go to their tables. So a session that has been
replaced writes nothing, and keeps nobody waiting for long. The database takes documents in while the next ones are
read, and commits while the keys of the next transaction come.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec

from python.materialize_requests import Load, Store
from python.materialize_sql.endpoint import Endpoint
from python.materialize_sql.fences import Fence
from python.materialize_sql.tables import Column, Table
from python.materialize_transactor import Transactor
from python.protocol.errors import RemoteProtocolError
from python.protocol.materialize import Loaded

__all__ = ["SqlTransactor"]

_binding = operator.attrgetter("binding")


class SqlTransactor(Transactor):
    """A session with the database, which is the authority over the checkpoint.

    With `hard_delete`, rows of deleted documents go; else they stay, as documents that say so.
    """

    store_bytes_max = 2 * 1024 * 1024  # little: the database takes them in while the next come, and waits for no more

    def __init__(self, endpoint: Endpoint, tables: Sequence[Table], fence: Fence, *, hard_delete: bool) -> None:
        self._endpoint = endpoint
        self._dialect = endpoint.dialect
        self._tables = tables
        self._fence = fence
        self._hard_delete = hard_delete
        self._made: set[str] = set()
        self._waiting: dict[str, Table] = {}
        self._checkpoint = ""
        self._written = True
        self._aside = ThreadPoolExecutor(1, "headwater-copy")
        self._copying: Future[None] | None = None
        self.runtime_checkpoint = msgspec.Raw(fence.checkpoint.encode())

    def load(self, keys: Sequence[Load]) -> Iterable[Loaded]:
        """Yield the stored documents of those of `keys` that exist."""
        for binding, rows in _by_binding(keys):
            table = self._tables[binding]
            with self._endpoint.telling(f"load documents of table {table.named}"):
                staged = self._stage("load", table, table.keys, _keys(rows))
                self._settle()
                yield from self._loaded(table, self._dialect.load(table, staged))
                self._endpoint.execute(self._dialect.empty(staged))

    def _loaded(self, table: Table, query: str) -> Iterator[Loaded]:
        for text in self._endpoint.documents(query):
            yield Loaded(binding=table.binding, doc=msgspec.Raw(text))

    def store(self, documents: Sequence[Store]) -> None:
        """Take documents in; they wait in temporary tables."""
        for binding, found in _by_binding(documents):
            table = self._tables[binding]
            hard = self._hard_delete and not table.delta
            kept = [store for store in found if not store.delete] if hard else found
            gone = [store for store in found if store.delete] if hard else []
            if kept:
                self._waiting[self._stage("store", table, table.columns, _values(table, kept))] = table
            if gone:
                self._waiting[self._stage("delete", table, table.keys, _keys(gone))] = table

    def start_commit(self, checkpoint: msgspec.Raw) -> None:
        """Keep the checkpoint for `commit`: until that has ended, a new session begins where this one did.

        The first transaction of all is committed here. If the database has no checkpoint to give, the runtime goes on
        from its own, and that one counts this transaction from the moment it is told that the commit has started.
        """
        self._settle()
        self._checkpoint = bytes(checkpoint).decode()
        self._written = False
        if not self._fence.checkpoint:
            self._write()

    def commit(self) -> None:
        """Write documents and checkpoint in one transaction."""
        if not self._written:
            self._write()

    def _write(self) -> None:
        endpoint = self._endpoint
        with endpoint.telling("commit"), endpoint.transaction():
            self._fence.write(endpoint, self._checkpoint)
            for staged, table in self._waiting.items():
                with endpoint.telling(f"store documents in table {table.named}"):
                    self._merge(staged, table)
        self._waiting.clear()
        self._written = True
        self._fence.checkpoint = self._checkpoint

    def close(self) -> None:
        """End the session."""
        self._aside.shutdown()
        self._endpoint.close()

    def _merge(self, staged: str, table: Table) -> None:
        write = self._dialect.append if table.delta else self._dialect.upsert
        if staged == self._named("delete", table):
            write = self._dialect.delete
        for statement in write(table, staged):
            self._endpoint.execute(statement)
        self._endpoint.execute(self._dialect.empty(staged))

    def _stage(self, purpose: str, table: Table, columns: Sequence[Column], found: Sequence[Sequence[Any]]) -> str:
        """Begin to add rows to the temporary table of a binding and a purpose, and return its name in SQL.

        `found` has the values of each of `columns`.
        """
        staged = self._named(purpose, table)
        converted = table.converted(columns, found)
        self._settle()
        with self._endpoint.telling(f"take in documents for table {table.named}"):
            if staged not in self._made:
                self._endpoint.execute(self._dialect.stage(_name(purpose, table), table.place, columns))
                self._made.add(staged)
        self._copying = self._aside.submit(self._copy, table, staged, columns, converted)
        return staged

    def _copy(self, table: Table, staged: str, columns: Sequence[Column], converted: list[list[Any]]) -> None:
        with self._endpoint.telling(f"take in documents for table {table.named}"):
            self._endpoint.copy(staged, columns, converted)

    def _settle(self) -> None:
        """Wait until the database has taken in what it was given: no statement may run beside that."""
        if self._copying is not None:
            self._copying.result()
            self._copying = None

    def _named(self, purpose: str, table: Table) -> str:
        return self._dialect.staged(_name(purpose, table))


def _name(purpose: str, table: Table) -> str:
    return f"flow_{purpose}_{table.binding}"


def _keys(found: Sequence[Load | Store]) -> list[list[Any]]:
    """Return the keys of loads or stores, a list for each column of theirs."""
    return _columns([each.key for each in found])


def _values(table: Table, stores: Sequence[Store]) -> list[list[Any]]:
    """Return the values of documents, a list for each column of the table."""
    found = [*_keys(stores), *_columns([store.values for store in stores])]
    return [*found, [store.doc for store in stores]] if table.document else found


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Return the columns of `rows`. Raises RemoteProtocolError where not all are equally long."""
    count = len(rows[0])
    if set(map(len, rows)) != {count}:
        raise RemoteProtocolError(f"the keys or the values of documents of one binding have {count} and other lengths")
    return [list(map(operator.itemgetter(number), rows)) for number in range(count)]


def _by_binding(found: Sequence[Any]) -> Iterable[tuple[int, Sequence[Any]]]:
    """Return loads or stores by their bindings, in the order in which they came."""
    if len(bindings := set(map(_binding, found))) == 1:
        return [(bindings.pop(), found)]
    sorted_: dict[int, list[Any]] = {}
    for each in found:
        sorted_.setdefault(each.binding, []).append(each)
    return sorted_.items()
