"""The plan of apply: which actions bring the database from what it has to what the bindings want.

A pure function of the two, so that it can be printed, and repeated: each action is one transaction, and after a crash
between two of them the plan is made anew of what there is then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from python.materialize_sql.dialect import CHECKPOINTS, Dialect
from python.materialize_sql.tables import Column, ExistingColumn, ExistingTable, Place, Table, checkpoints_gone, gone
from python.protocol.errors import ConnectorError

__all__ = ["Action", "Found", "plan"]


class Action(msgspec.Struct, frozen=True):
    """A change of the database, in words and as the statements of one transaction.

    With `fences` the transaction first fences off all sessions that may still store to a table.
    """

    description: str
    statements: tuple[str, ...]
    fences: bool = True


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the database has: its schemas, and those of the wanted tables that exist."""

    schemas: frozenset[str]
    tables: Mapping[Place, ExistingTable]


def plan(
    dialect: Dialect, found: Found, wanted: Sequence[Table], last: Mapping[int, Table], home: str
) -> Iterator[Action]:
    """Yield what is to be done for `wanted`; `last` are the tables that the same bindings had before, by binding.

    `home` is the schema of the table of checkpoints. Tables of bindings that are gone stay as they are. Raises
    ConnectorError where an existing column cannot be kept, or where a table is gone whose documents were not to be
    stored anew: that of a binding, or that of checkpoints.
    """
    schemas = set(map(dialect.fold, found.schemas))
    for schema in dict.fromkeys((home, *(table.place[0] for table in wanted))):
        if dialect.fold(schema) not in schemas:
            schemas.add(dialect.fold(schema))
            yield Action(f"create schema {schema}", (dialect.create_schema(schema),), fences=False)
    if (home, CHECKPOINTS) not in found.tables:
        if any(table.binding in last and last[table.binding].backfill == table.backfill for table in wanted):
            raise checkpoints_gone((home, CHECKPOINTS))
        told = f"create table {home}.{CHECKPOINTS} for checkpoints"
        yield Action(told, (dialect.create_checkpoints(home),), fences=False)
    for table in wanted:
        existing = found.tables.get(table.place)
        before = last.get(table.binding)
        refilled = before is not None and before.backfill != table.backfill
        if existing is None:
            if before is not None and not refilled:
                raise gone(table)
            yield Action(f"create table {table.named} for {table.collection}", tuple(dialect.create_table(table)))
            continue
        changes = _Changes(dialect, table, existing, before)
        if before is not None and refilled:
            yield from changes.anew(before)
        else:
            yield from changes.updates()


class _Changes:
    """The changes of one table that exists, and that was `before` for the same binding, if there was one."""

    def __init__(self, dialect: Dialect, table: Table, existing: ExistingTable, before: Table | None) -> None:
        self._dialect = dialect
        self._table = table
        self._existing = existing
        self._columns = {dialect.fold(column.name): column for column in existing.columns}
        self._before = before.by_name(dialect.fold) if before else {}

    def anew(self, before: Table) -> Iterator[Action]:
        """Yield what fills the table anew: it is emptied if its columns can stay, and made again if not."""
        dialect, table = self._dialect, self._table
        fits = all(column is not None and wanted.accepts(column) for wanted, column in self._pairs(known=True))
        if fits and _names(before.keys) == _names(table.keys):
            yield Action(f"empty table {table.named} for a backfill", (dialect.empty(dialect.qualified(table.place)),))
            yield from self.updates()
            return
        made = (*dialect.drop_table(table.place), *dialect.create_table(table))
        yield Action(f"create table {table.named} anew for a backfill, with other columns", made)

    def updates(self) -> Iterator[Action]:
        """Yield what makes the table's columns and key as they are wanted."""
        dialect, table = self._dialect, self._table
        key = self._key()
        if table.delta and key:
            yield self._action("stop keeping keys unique, for delta updates", dialect.drop_key(table.place, key))
        for strict in self._too_strict():
            yield self._action(f"let column {strict.name} be null", dialect.drop_not_null(table.place, strict))
        for column, existing in self._pairs():
            if existing is None:
                yield self._action(f"add column {_typed(column)}", dialect.add_column(table.place, column))
            elif not column.accepts(existing):
                yield from self._change_type(column, existing)
        if dialect.keyed and not table.delta and not key:
            yield self._action("keep keys unique", dialect.add_key(table))

    def _pairs(self, *, known: bool = False) -> Iterable[tuple[Column, ExistingColumn | None]]:
        """Return each wanted column with the existing one of its name; with `known`, only those that exist."""
        pairs = [(column, self._columns.get(self._dialect.fold(column.field))) for column in self._table.columns]
        return [pair for pair in pairs if pair[1] is not None] if known else pairs

    def _key(self) -> str:
        """Return the name of what keeps the table's keys unique, and nothing else; "" where nothing does."""
        fold = self._dialect.fold
        keys = {fold(key.field) for key in self._table.keys}
        return next((name for name, columns in self._existing.unique.items() if set(map(fold, columns)) == keys), "")

    def _change_type(self, column: Column, existing: ExistingColumn) -> Iterator[Action]:
        """Yield what makes a column's type fit. One of a former name gets its own, save in keys, which stay as is."""
        before = self._before.get(self._dialect.fold(existing.name))
        known = before.known(existing) if before else existing
        to = column.stored_in(known) if column.accepts(known) else None
        if to is not None and column.is_key:
            return
        expression = self._dialect.quote(existing.name) if to else self._dialect.migration(column, known)
        if not expression:
            raise ConnectorError(
                f"table {self._table.named}: column {existing.name!r} is of type {existing.type or 'none'}, which "
                f"cannot become {column.type.name}; raise the backfill counter of the binding, or exclude the field"
            )
        made = (to or column).type
        statements = self._dialect.change_type(self._table.place, existing.name, made, expression)
        yield self._action(f"change column {existing.name} from {existing.type} to {made.name}", statements)

    def _too_strict(self) -> Iterator[ExistingColumn]:
        """Yield the existing columns that must be null in documents to come: no longer required, or not selected."""
        wanted = {self._dialect.fold(column.field): column for column in self._table.columns}
        for name, existing in self._columns.items():
            selected = wanted.get(name)
            if not existing.nullable and (selected is None or selected.nullable):
                yield existing

    def _action(self, description: str, statements: Iterable[str]) -> Action:
        return Action(f"table {self._table.named}: {description}", tuple(statements))


def _names(columns: Iterable[Column]) -> list[str]:
    return [column.field for column in columns]


def _typed(column: Column) -> str:
    return f"{column.field} of type {column.type.name}"
