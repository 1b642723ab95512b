"""Staged files of Parquet: written in `store`, and then moved or merged into their tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from materialize_parquet.columns import array_of
from materialize_parquet.folder import Folder
from materialize_parquet.manifest import ColumnOf, Ledger, Manifest, with_holder
from materialize_parquet.merging import Located, located, merge_into, staged_rows
from materialize_parquet.parts import Part, groups, is_part, part_name, schema_of
from python.materialize_requests import Load, Store
from python.materialize_sql.tables import Column, ExistingColumn, ExistingTable, Table
from python.materialize_staged import Stage, Staged
from python.protocol.errors import ConnectorError
from python.protocol.flow import RangeSpec
from python.protocol.materialize import Loaded

__all__ = ["STAGED", "ParquetStage", "Target", "staged_name", "tidy"]

STAGED = "_staged"
"""The folder of a table's staged files."""

_SUFFIX = ".parquet"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a binding stores to: `path` is the table's folder within that of the materialization."""

    table: Table
    path: str
    state_key: str


class _File(msgspec.Struct, frozen=True, rename="camel"):
    """A staged file, as the state lists it."""

    path: str
    state_key: str


class _Held:
    """A table whose key range this session has taken over, and the last version that it has seen."""

    def __init__(self, folder: Folder, manifest: Manifest) -> None:
        self.folder = folder
        self.ledger = Ledger(folder)
        self.manifest = manifest


class ParquetStage(Stage):
    """A session with the tables in `root`: the one named `session`, of the key range `own`.

    With `hard_delete`, rows of deleted documents go; else they stay, as documents that say so.
    """

    def __init__(self, root: Folder, own: RangeSpec, session: str, *, hard_delete: bool = False) -> None:
        self._root = root
        self._own = own
        self._session = session
        self._hard_delete = hard_delete
        self._targets: dict[int, Target] = {}
        self._wanted: dict[str, str] = {}
        self._held: dict[str, _Held] = {}
        self._parts: dict[int, Part] = {}

    def expect(self, state_keys: Mapping[str, str]) -> None:
        """What was staged for the tables at these paths with other state keys is not applied: they are filled anew."""
        self._wanted.update(state_keys)

    def open(self, target: Target) -> None:
        """Take over the table of a binding. Raises ConnectorError where it is not as `apply` has left it."""
        held = self._hold(target.path)
        if held is None:
            raise ConnectorError(f"there is no table {target.table.named}; raise the `backfill` counter of its binding")
        existing = ExistingTable(
            columns=tuple(ExistingColumn(column.name, column.type) for column in held.manifest.columns)
        )
        table = target.table.stored_in(existing, str)
        tidy(held.folder, held.manifest)
        self._targets[table.binding] = msgspec.structs.replace(target, table=table)
        self.expect({target.path: target.state_key})

    def load(self, keys: Sequence[Load]) -> Iterator[Loaded]:
        """Yield the stored documents of those of `keys` that exist."""
        for binding, loads in _by_binding(keys):
            target = self._targets[binding]
            held = self._held[target.path]
            arrays = _arrays(target.table, target.table.keys, [load.key for load in loads])
            for found in located(held.manifest.buckets, arrays):
                for text in self._documents(target.table, held.folder, found):
                    yield Loaded(binding=binding, doc=msgspec.Raw(text.encode()))

    def store(self, transaction: str, documents: Sequence[Store]) -> None:
        """Write documents to the transaction's files: with delta updates as they will be read, else with more."""
        for binding, stores in _by_binding(documents):
            target = self._targets[binding]
            table, columns = target.table, target.table.columns
            hard = self._hard_delete and not table.delta
            rows = [_row(store, table, gone=hard and store.delete) for store in stores]
            had = _columns_of(columns)
            made = pa.Table.from_arrays(_arrays(table, columns, rows), schema=schema_of(had))
            if not table.delta:
                made = staged_rows(made, len(table.keys), [hard and store.delete for store in stores])
            if binding not in self._parts:
                folder = self._held[target.path].folder
                self._parts[binding] = Part(folder, staged_name(transaction), made.schema)
            self._parts[binding].add(made)

    def seal(self, transaction: str) -> Sequence[Any]:
        """Make the transaction's files durable, and list them."""
        del transaction  # all that are open are its
        listed = []
        for binding, part in self._parts.items():
            part.end()
            target = self._targets[binding]
            listed.append({"path": target.path, "stateKey": target.state_key})
        self._parts.clear()
        return listed

    def apply(self, staged: Staged) -> None:
        """Move or merge what was staged into its tables; one that is gone, or was filled anew, needs nothing more."""
        for raw in staged.files:
            try:
                file = msgspec.convert(raw, _File)
            except msgspec.ValidationError as error:
                raise ConnectorError(f"the stored state lists what is no staged file: {error}") from None
            held = self._hold(file.path)
            expected = self._wanted.get(file.path, file.state_key)
            if held is not None and held.manifest.state_key == file.state_key == expected:
                self._apply(held, staged.transaction)

    def transactions(self) -> set[str]:
        """Return the transactions of which there are staged files, in the tables that were opened."""
        return {name.removesuffix(_SUFFIX) for held in self._held.values() for name in held.folder.names(STAGED)}

    def discard(self, transaction: str) -> None:
        """Remove the staged files of a transaction."""
        for held in self._held.values():
            held.folder.remove(staged_name(transaction))

    def _hold(self, path: str) -> _Held | None:
        """Return the table at `path`, of which this session has taken over its key range; None: there is none."""
        if path not in self._held:
            folder = self._root.folder(path)
            ledger = Ledger(folder)
            if ledger.last() is None:
                return None

            def take(last: Manifest | None) -> Manifest:
                if last is None:
                    raise ConnectorError(f"the table in {folder.named} was removed while it was opened")
                return with_holder(last, self._own, self._session)

            self._held[path] = _Held(folder, ledger.commit(take))
        return self._held[path]

    def _apply(self, held: _Held, transaction: str) -> None:
        held.manifest = last = held.ledger.last() or held.manifest
        last.require(self._own, self._session, held.folder.named)
        range_ = transaction.partition(".")[0]
        if last.applied.get(range_) == transaction:
            return
        try:
            buckets = (
                last.buckets if last.delta else merge_into(held.folder, last, transaction, staged_name(transaction))
            )
            if last.delta:
                self._publish(held.folder, transaction)
        except FileNotFoundError as error:
            raise ConnectorError(
                f"a file of the table in {held.folder.named} is gone, which nobody but this materialization may remove "
                f"({error}): raise the backfill counter of its binding"
            ) from None

        def change(now: Manifest | None) -> Manifest:
            now = now or last
            now.require(self._own, self._session, held.folder.named)
            return msgspec.structs.replace(now, buckets=buckets, applied={**now.applied, range_: transaction})

        held.manifest = held.ledger.commit(change)
        if not last.delta:  # and only now: a session that has lost its table must not touch its successor's files
            tidy(held.folder, held.manifest)

    def _publish(self, folder: Folder, transaction: str) -> None:
        """Move the staged file of delta updates to where it is read, unless that was done before."""
        published = part_name(transaction, 0)
        try:
            folder.move(staged_name(transaction), published)
        except FileNotFoundError:
            if not folder.has(published):
                raise

    def _documents(self, table: Table, folder: Folder, found: Located) -> Iterator[str]:
        """Yield the documents of the keys in a bucket that are there."""
        assert table.document, table  # noqa: S101 -- bindings with delta updates are never asked for documents
        names = [key.field for key in table.keys]
        try:
            with groups(folder, found.file) as file:
                for number in range(file.num_row_groups):
                    hits = found.among(file.read_row_group(number, columns=names).select(names))
                    if len(hits):
                        column = file.read_row_group(number, columns=[table.document.field])
                        yield from column.column(table.document.field).take(hits).to_pylist()
        except FileNotFoundError:
            raise ConnectorError(
                f"{folder.named}/{found.file} is gone: another session has taken over, or it was removed; then "
                "raise the backfill counter of the binding"
            ) from None


def staged_name(transaction: str) -> str:
    """Return the name of the file that a transaction stages for a table."""
    return f"{STAGED}/{transaction}{_SUFFIX}"


def tidy(folder: Folder, manifest: Manifest) -> None:
    """Remove the part files that are in no bucket: those that were replaced, and those of what did not commit."""
    if not manifest.delta:
        current = {bucket.file for bucket in manifest.buckets}
        for name in folder.names():
            if is_part(name) and name not in current:
                folder.remove(name)


def _row(store: Store, table: Table, *, gone: bool) -> tuple[Any, ...]:
    """Return a document in the order of the table's columns; of one that is to go, the key alone."""
    if gone:
        return store.key + (None,) * (len(table.columns) - len(table.keys))
    return store.key + store.values + ((store.doc,) if table.document else ())


def _arrays(table: Table, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> list[pa.Array]:
    converted = table.converted(columns, list(zip(*rows, strict=True)))
    return [array_of(column.type, values) for column, values in zip(columns, converted, strict=True)]


def _columns_of(columns: Sequence[Column]) -> list[ColumnOf]:
    return [ColumnOf(column.field, column.type.name, column.is_key) for column in columns]


def _by_binding(found: Sequence[Any]) -> Iterable[tuple[int, list[Any]]]:
    """Return loads or stores by their bindings, in the order in which they came."""
    sorted_: dict[int, list[Any]] = {}
    for each in found:
        sorted_.setdefault(each.binding, []).append(each)
    return sorted_.items()
