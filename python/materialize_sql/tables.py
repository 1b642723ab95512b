"""Tables as values: what a binding wants, and what the database has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from python.materialize_requests import Binding
from python.materialize_sql.column_types import ColumnType
from python.protocol.errors import ConnectorError
from python.protocol.flow import Projection

__all__ = ["Column", "ExistingColumn", "ExistingTable", "Place", "Table", "checkpoints_gone", "gone", "table_of"]

Place = tuple[str, str]
"""Schema and name of a table."""


class ExistingColumn(msgspec.Struct, frozen=True):
    """A column that the database has; `type` is in the database's own words."""

    name: str
    type: str
    nullable: bool = True


class ExistingTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table that the database has.

    `unique` says what keeps rows unique: the columns, by the name of the constraint or the index. `occupied` says that
    it has rows.
    """

    columns: tuple[ExistingColumn, ...]
    unique: Mapping[str, tuple[str, ...]] = {}
    occupied: bool = False


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column to store a field in.

    It is made with the first of `types`; an existing one of the others does as well. `nullable` says that values may be
    missing.
    """

    field: str
    types: tuple[ColumnType, ...]
    nullable: bool
    is_key: bool = False

    @property
    def type(self) -> ColumnType:
        """The type it is made with, or has."""
        return self.types[0]

    def accepts(self, existing: ExistingColumn) -> bool:
        """Whether values of the field can be stored into `existing` as it is."""
        return existing.type in [found.name for found in self.types]

    def known(self, existing: ExistingColumn) -> ExistingColumn:
        """Return `existing`, in which this column is stored, with the type that it would be made with now."""
        formerly = self.type.formerly
        return msgspec.structs.replace(existing, type=self.type.name) if existing.type == formerly else existing

    def stored_in(self, existing: ExistingColumn) -> Column | None:
        """Return the column with the type and the name that it has in the database; None where it does not fit."""
        types = tuple(found for found in self.types if existing.type in (found.name, found.formerly))
        return msgspec.structs.replace(self, field=existing.name, types=types) if types else None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The table of a binding, its columns in the order of `Store`: keys, values, and the whole document, if stored."""

    binding: int
    place: Place
    collection: str
    keys: tuple[Column, ...]
    values: tuple[Column, ...]
    document: Column | None
    delta: bool
    backfill: int

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, in order."""
        return (*self.keys, *self.values, *((self.document,) if self.document else ()))

    @property
    def named(self) -> str:
        """The table, for people."""
        return ".".join(filter(None, self.place))

    def by_name(self, fold: Callable[[str], str]) -> dict[str, Column]:
        """Return the columns by their names, folded."""
        return {fold(column.field): column for column in self.columns}

    def stored_in(self, existing: ExistingTable, fold: Callable[[str], str]) -> Table:
        """Return the table with its columns as the database has them. Raises ConnectorError where one does not fit."""
        found = {fold(column.name): column for column in existing.columns}

        def stored(column: Column) -> Column:
            there = found.get(fold(column.field))
            fits = column.stored_in(there) if there else None
            if fits is None:
                has = f"is of type {there.type or 'none'}" if there else "is missing"
                raise ConnectorError(
                    f"table {self.named}: column {column.field!r} {has}, want {column.type.name}: it was changed "
                    "since the materialization was applied; undo that, or raise the backfill counter of its binding"
                )
            return fits

        return msgspec.structs.replace(
            self,
            keys=tuple(map(stored, self.keys)),
            values=tuple(map(stored, self.values)),
            document=stored(self.document) if self.document else None,
        )

    def converted(self, columns: Sequence[Column], found: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Return JSON values as the database's. Raises ConnectorError naming what does not fit.

        `found` has the values of each of `columns`, which begin with the key.
        """
        converted = []
        for column, values in zip(columns, found, strict=True):
            try:
                converted.append(column.type.column(values))
            except ValueError:
                raise self._unfit(column, values, found) from None
            if column.is_key and None in values:
                raise ConnectorError(
                    f"table {self.named}: the key field {column.field!r} is null, and keys must not be"
                )
        return converted

    def _unfit(self, column: Column, values: Sequence[Any], found: Sequence[Sequence[Any]]) -> ConnectorError:
        """Return an error about the first of `values` that does not fit."""
        row = next(row for row, value in enumerate(values) if not _fits(column, value))
        key = ", ".join(repr(part[row]) for part in found[: len(self.keys)])
        got = repr(values[row])
        got = got if len(got) <= _SHOWN_CHARACTERS_MAX else got[:_SHOWN_CHARACTERS_MAX] + "…"
        return ConnectorError(
            f"table {self.named}: field {column.field!r} of the document with the key {key} is {got}, but the column "
            f"holds {column.type.want}; correct the collection's schema, exclude the field, or store it as text with "
            'the field config {"castToString": true}, and raise the backfill counter'
        )


def _fits(column: Column, value: object) -> bool:
    try:
        column.type.column([value])
    except ValueError:
        return False
    return True


_SHOWN_CHARACTERS_MAX = 80  # of a value, in an error


def gone(table: Table) -> ConnectorError:
    """Return the error about a table that the task has stored to, and that is not there any more."""
    return ConnectorError(
        f"table {table.named} is gone, or not where the config says now, though documents were stored in it; raise the "
        "backfill counter of its binding to store them again, or bring the table back"
    )


def checkpoints_gone(place: Place) -> ConnectorError:
    """Return the error about the table of checkpoints at `place`, which is not there, though documents were stored.

    Made anew, it would let the runtime go on from its own checkpoint, which may be a transaction before or after what
    the database has.
    """
    return ConnectorError(
        f"table {'.'.join(place)}, which says how far documents were stored, is gone, or not where the config says "
        "now: the documents of the last transaction could be lost or come twice; bring the table back, or raise the "
        "backfill counters of all bindings of all materializations that share the table, to store all documents again"
    )


def table_of(binding: Binding[Any], place: Place, types_of: Callable[..., tuple[ColumnType, ...]]) -> Table:
    """Return the table that `binding` stores to, by the types that a dialect has for each projection."""
    configs: Mapping[str, msgspec.Raw] = binding.fields.field_config

    def column(projection: Projection, *, is_key: bool = False) -> Column:
        config = msgspec.json.decode(configs.get(projection.field) or b"null")
        inference = projection.inference
        required = inference is not None and inference.exists == "MUST" and "null" not in inference.types
        return Column(
            field=projection.field,
            types=types_of(projection, is_key=is_key, config=config),
            nullable=not (is_key or required),
            is_key=is_key,
        )

    return Table(
        binding=binding.index,
        place=place,
        collection=binding.collection.name,
        keys=tuple(column(found, is_key=True) for found in binding.keys),
        values=tuple(column(found) for found in binding.values),
        document=column(binding.document) if binding.document else None,
        delta=binding.delta_updates,
        backfill=binding.backfill,
    )
