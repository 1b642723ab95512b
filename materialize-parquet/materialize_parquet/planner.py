"""What apply does to a table: its manifest is made, emptied or changed; part files are rewritten where types change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from materialize_parquet.columns import migrates
from materialize_parquet.folder import Folder
from materialize_parquet.manifest import Bucket, ColumnOf, Ledger, Manifest
from materialize_parquet.parts import conformed, is_part, part_name, read_part, write_part
from materialize_parquet.stage import STAGED, tidy
from python.materialize_sql.tables import Table, gone
from python.materialize_staged import range_key
from python.protocol.errors import ConnectorError
from python.protocol.flow import FULL_RANGE

__all__ = ["Action", "Wanted", "plan"]


class Action(NamedTuple):
    """A step of apply, in words, and how it is done; doing it again, or after it was killed, is harmless."""

    description: str
    do: Callable[[], object]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The table of a binding, in `folder`. `session` names this apply.

    `before` is the state key with which the task has stored to it before; None where it has not.
    """

    table: Table
    folder: Folder
    state_key: str
    before: str | None
    session: str

    @property
    def columns(self) -> tuple[ColumnOf, ...]:
        """The columns of the table as a new one has them."""
        return tuple(ColumnOf(column.field, column.type.name, column.is_key) for column in self.table.columns)

    @property
    def manifest(self) -> Manifest:
        """The manifest of the table as a new one has it."""
        return Manifest(
            collection=self.table.collection, state_key=self.state_key, delta=self.table.delta, columns=self.columns
        )


def plan(wanted: Wanted) -> Iterator[Action]:
    """Yield what brings a table to what its binding wants. Raises ConnectorError where nothing does."""
    ledger, named = Ledger(wanted.folder), wanted.table.named
    last = ledger.last()
    if last is None:
        if wanted.before == wanted.state_key:
            raise gone(wanted.table)
        told = f"create table {named} for {wanted.table.collection}"
        yield Action(told, lambda: ledger.commit(lambda found: found or wanted.manifest))
        return
    refilled = wanted.before is not None and last.state_key != wanted.state_key
    if refilled or last.emptying:
        yield Action(f"empty table {named} for a backfill", lambda: _empty(wanted, ledger, refilled=refilled))
    else:
        yield from _changes(wanted, ledger, last)


def _changes(wanted: Wanted, ledger: Ledger, last: Manifest) -> Iterator[Action]:
    table = wanted.table
    _refuse(wanted, last)
    had = {column.name: column for column in last.columns}
    types = {column.name: column.type for column in _widened(wanted, last)}
    told = [
        *(f"add column {column.name} of type {column.type}" for column in wanted.columns if column.name not in had),
        *(f"change column {name} from {column.type} to {types[name]}" for name, column in had.items()
          if types[name] != column.type),
        *(["only add documents from now on"] if table.delta and not last.delta else []),
    ]  # fmt: skip
    if told or (last.state_key, last.collection) != (wanted.state_key, table.collection):
        told = told or [f"store {table.collection} there from now on"]
        yield Action(f"table {table.named}: {', '.join(told)}", lambda: _change(wanted, ledger))


def _refuse(wanted: Wanted, last: Manifest) -> None:
    """Raise ConnectorError where only a backfill could make of the table what is wanted."""
    remedy = "raise the backfill counter of the binding"
    named, keys = wanted.table.named, [column.field for column in wanted.table.keys]
    if last.delta and not wanted.table.delta:
        raise ConnectorError(f"table {named}: documents were only added up to now; to keep one a key, {remedy}")
    was = [column.name for column in last.columns if column.key]
    if was != keys and not wanted.table.delta:
        raise ConnectorError(f"table {named}: its key was {was} and cannot become {keys}: {remedy}")
    had = {column.name: column.type for column in last.columns}
    for column in wanted.table.columns:
        before = had.get(column.field, column.type.name)
        if before not in [type_.name for type_ in column.types] and (
            column.is_key or not migrates(before, column.type.name)
        ):
            raise ConnectorError(
                f"table {named}: column {column.field!r} is of type {before}, which cannot become {column.type.name}; "
                f"{remedy}, or exclude the field"
            )


def _widened(wanted: Wanted, last: Manifest) -> tuple[ColumnOf, ...]:
    """Return the columns that `last` has, and those that are wanted beside them, each of a type that holds both."""
    accepted = {column.field: [type_.name for type_ in column.types] for column in wanted.table.columns}
    columns = {column.name: column for column in last.columns}
    for column in wanted.columns:
        before = columns.get(column.name)
        if before is None:
            columns[column.name] = msgspec.structs.replace(column, key=False)
        elif before.type not in accepted[column.name]:
            columns[column.name] = ColumnOf(column.name, column.type, before.key)
    return tuple(columns.values())


def _change(wanted: Wanted, ledger: Ledger) -> None:
    last = ledger.last() or wanted.manifest
    columns = _widened(wanted, last)
    had = {column.name: column for column in columns} | {column.name: column for column in last.columns}
    tidy(wanted.folder, last)  # before delta updates show every part file
    types_change = any(had[column.name].type != column.type for column in columns)
    buckets = last.buckets
    if types_change and not last.delta:
        buckets = tuple(_rewritten(wanted, last, columns))

    def change(found: Manifest | None) -> Manifest:
        if found is None or found.version != last.version:
            raise ConnectorError(f"table {wanted.table.named}: another session changes it; run it again")
        return msgspec.structs.replace(
            found,
            columns=columns,
            buckets=buckets,
            delta=last.delta or wanted.table.delta,
            state_key=wanted.state_key,
            collection=wanted.table.collection,
            holders={},  # so that no session of the spec before goes on
        )

    committed = ledger.commit(change)
    tidy(wanted.folder, committed)


def _rewritten(wanted: Wanted, last: Manifest, columns: Sequence[ColumnOf]) -> Iterator[Bucket]:
    """Yield the buckets of a table with their rows as `columns` have them."""
    had = {column.name: column for column in last.columns}
    for number, bucket in enumerate(last.buckets):
        name = ""
        if bucket.file:
            rows = read_part(wanted.folder, bucket.file)
            name = part_name(f"{range_key(FULL_RANGE)}.{wanted.session}.000000", number)
            write_part(wanted.folder, name, conformed(rows, [had[each] for each in rows.column_names], columns))
        yield Bucket(bucket.prefix, name, bucket.rows)


def _empty(wanted: Wanted, ledger: Ledger, *, refilled: bool) -> None:
    """The table is new and empty. Killed amid this, the manifest says that there is something left to remove."""

    def begin(last: Manifest | None) -> Manifest:
        if last is not None and (last.emptying or not refilled):
            return last
        return msgspec.structs.replace(wanted.manifest, emptying=True, version=last.version if last else 0)

    begun = ledger.commit(begin)
    for name in wanted.folder.names():
        if is_part(name):
            wanted.folder.remove(name)
    for name in wanted.folder.names(STAGED):
        wanted.folder.remove(f"{STAGED}/{name}")

    def end(_last: Manifest | None) -> Manifest:
        return msgspec.structs.replace(wanted.manifest, version=begun.version)

    ledger.commit(end)
