"""A dialect of SQL, as data and text: how names are quoted, which types hold what, and how statements are written.

Nothing here talks to a database. Everything that comes from documents or names is quoted by `quote`, or given as a
parameter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import ClassVar

from python.materialize_constraints import flat_type
from python.materialize_sql.column_types import BIG_INTEGER, ColumnType
from python.materialize_sql.tables import Column, ExistingColumn, Place, Table
from python.protocol.errors import ConnectorError
from python.protocol.flow import Inference, Projection

__all__ = ["CHECKPOINTS", "Dialect", "kind_of"]

CHECKPOINTS = "flow_checkpoints_v1"
"""The table of checkpoints and fences; no binding can have it."""

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_TYPES_OF_KEYS = ("boolean", "integer", "string")


class Dialect:
    """What a dialect says; subclasses set the data, and override the statements that they write in another way.

    `types` maps a kind of values to the types of columns that hold them, first the one that new columns get. Kinds are
    the flat types (see `flat_type`), `integer:64` for integers that fit 64 bits, `string:F` for text of the format F
    where the dialect has a type for it, `key` for a key of several types, `key:K` for a key of the kind K where it has
    another type than other fields, and `document`. `migrations` maps a pair of type names, from and to, to the
    expression that makes the new value of `{column}`.

    `temporary` is the schema of temporary tables. `keyed` says that tables keep their keys unique, `not_null` that
    columns can be, and cease to be, NOT NULL. `begin` begins a transaction that will write, and `lock`, if given,
    keeps others from the table of checkpoints until its end.
    """

    types: ClassVar[Mapping[str, tuple[ColumnType, ...]]]
    migrations: ClassVar[Mapping[tuple[str, str], str]] = {}
    name_bytes_max: ClassVar[int] = 255
    reserved_columns: ClassVar[frozenset[str]] = frozenset()
    case_insensitive: ClassVar[bool] = False
    empty_names: ClassVar[bool] = False
    keyed: ClassVar[bool] = True
    not_null: ClassVar[bool] = True
    temporary: ClassVar[str] = "temp"
    begin: ClassVar[str] = "begin"
    lock: ClassVar[str] = ""

    def quote(self, name: str) -> str:
        """Return `name` as an identifier."""
        return '"' + name.replace('"', '""') + '"'

    def quoted(self, columns: Iterable[Column]) -> str:
        """Return the names of `columns` as a list of identifiers."""
        return ", ".join(self.quote(column.field) for column in columns)

    def qualified(self, place: Place) -> str:
        """Return the table at `place`, as SQL names it."""
        return f"{self.quote(place[0])}.{self.quote(place[1])}"

    def parameter(self, number: int) -> str:
        """Return the placeholder of the parameter `number`, from 1 on."""
        return f"${number}"

    def fold(self, name: str) -> str:
        """Return `name` such that two names of the same column or table are equal: databases fold ASCII alone."""
        return name.translate(_ASCII_LOWER) if self.case_insensitive else name

    def types_of(self, projection: Projection, *, is_key: bool, config: object) -> tuple[ColumnType, ...]:
        """Return the types that hold a projection's values, the best first; `config` is the user's for the field."""
        return self.types[kind_of(self.types, projection, is_key=is_key, config=config)]

    def migration(self, column: Column, existing: ExistingColumn) -> str:
        """Return the expression that turns `existing` into the type of `column`; "" where it cannot be."""
        expression = "" if column.is_key else self.migrations.get((existing.type, column.type.name), "")
        return expression.format(column=self.quote(existing.name))

    def unfit_name(self, name: str) -> str:
        """Return why nothing can have `name`; "" where it can."""
        size = len(name.encode())
        if size > self.name_bytes_max:
            return f"its name has {size} bytes, and names have at most {self.name_bytes_max}"
        return "its name is empty or has the character U+0000" if "\0" in name or not (name or self.empty_names) else ""

    def unfit_column(self, name: str) -> str:
        """Return why no column can have `name`; "" where it can."""
        reserved = self.fold(name) in self.reserved_columns
        return "the database keeps this name for a column of its own" if reserved else self.unfit_name(name)

    def refuse_table(self, binding: int, place: Place) -> None:
        """Raise ConnectorError where no table of a binding can be at `place`."""
        wrong = self.unfit_name(place[0]) or self.unfit_name(place[1])
        if self.fold(place[1]) == CHECKPOINTS:
            wrong = "its name is kept for checkpoints"
        if wrong:
            raise ConnectorError(f"binding {binding}: there can be no table {'.'.join(place)!r}: {wrong}")

    def create_schema(self, schema: str) -> str:
        """Return the statement after which `schema` is there."""
        return f"create schema if not exists {self.quote(schema)}"

    def create_checkpoints(self, schema: str) -> str:
        """Return the statement after which the table of checkpoints is there."""
        key = ", primary key (materialization, key_begin, key_end)" if self.keyed else ""
        columns = "materialization text not null, key_begin bigint not null, key_end bigint not null, "
        return (
            f"create table if not exists {self.qualified((schema, CHECKPOINTS))} "
            f"({columns}fence bigint not null, checkpoint text not null{key})"
        )

    def create_table(self, table: Table) -> list[str]:
        """Return the statements that make `table`."""
        columns = ", ".join(self.defined(column) for column in table.columns)
        made = f"create table {self.qualified(table.place)} ({columns})"
        return [made, *([] if table.delta or not self.keyed else self.add_key(table))]

    def defined(self, column: Column) -> str:
        """Return the definition of a column of a new table."""
        required = self.not_null and not column.nullable
        return f"{self.quote(column.field)} {column.type.name}{' not null' if required else ''}"

    def add_key(self, table: Table) -> list[str]:
        """Return the statements after which the keys of `table` are unique."""
        return [f"alter table {self.qualified(table.place)} add primary key ({self.quoted(table.keys)})"]

    def drop_key(self, place: Place, key: str) -> list[str]:
        """Return the statements after which the keys of the table at `place`, unique by `key`, are not."""
        return [f"alter table {self.qualified(place)} drop constraint {self.quote(key)}"]

    def drop_table(self, place: Place) -> list[str]:
        """Return the statements after which there is no table at `place`."""
        return [f"drop table if exists {self.qualified(place)}"]

    def empty(self, table: str) -> str:
        """Return the statement after which `table`, as SQL names it, has no rows."""
        return f"truncate table {table}"

    def add_column(self, place: Place, column: Column) -> list[str]:
        """Return the statements after which the table at `place` has `column`, null in each row."""
        return [f"alter table {self.qualified(place)} add column {self.quote(column.field)} {column.type.name}"]

    def drop_not_null(self, place: Place, existing: ExistingColumn) -> list[str]:
        """Return the statements after which the column may be null; its type and its values stay."""
        return [f"alter table {self.qualified(place)} alter column {self.quote(existing.name)} drop not null"]

    def change_type(self, place: Place, existing: str, to: ColumnType, expression: str) -> list[str]:
        """Return the statements after which the column `existing` is of another type, with values by `expression`."""
        column = self.quote(existing)
        return [f"alter table {self.qualified(place)} alter column {column} set data type {to.name} using {expression}"]

    def stage(self, name: str, place: Place, columns: Iterable[Column]) -> str:
        """Return the statement that makes the temporary table `name` with the columns of the table at `place`."""
        return f"create temporary table {self.quote(name)} as select {self.quoted(columns)} from {self.qualified(place)} where false"  # noqa: E501, S608 -- quoted names alone

    def staged(self, name: str) -> str:
        """Return the temporary table `name`, as SQL names it."""
        return self.qualified((self.temporary, name))

    def load(self, table: Table, staged: str) -> str:
        """Return the query of the documents whose keys are `staged`; rows that others have stored may be without."""
        assert table.document, table  # noqa: S101 -- bindings with delta updates are never asked for documents
        same = " and ".join(f"t.{self.quote(key.field)} = s.{self.quote(key.field)}" for key in table.keys)
        target, whole = self.qualified(table.place), f"t.{self.quote(table.document.field)}"
        return f"select {whole} from {staged} s cross join {target} t where {same} and {whole} is not null"  # noqa: S608 -- same

    def append(self, table: Table, staged: str) -> list[str]:
        """Return the statements that add what is `staged`."""
        columns = self.quoted(table.columns)
        return [f"insert into {self.qualified(table.place)} ({columns}) select {columns} from {staged} where true"]  # noqa: S608 -- same

    def upsert(self, table: Table, staged: str) -> list[str]:
        """Return the statements after which what is `staged` stands in place of older rows with the same keys."""
        names = [self.quote(column.field) for column in table.columns[len(table.keys) :]]
        change = ", ".join(f"{name} = excluded.{name}" for name in names)
        (added,) = self.append(table, staged)
        return [f"{added} on conflict ({self.quoted(table.keys)}) do {f'update set {change}' if change else 'nothing'}"]

    def delete(self, table: Table, staged: str) -> list[str]:
        """Return the statements after which there is no row whose key is `staged`."""
        keys = self.quoted(table.keys)
        return [f"delete from {self.qualified(table.place)} where ({keys}) in (select {keys} from {staged})"]  # noqa: S608 -- same


def kind_of(kinds: Collection[str], projection: Projection, *, is_key: bool, config: object) -> str:
    """Return which of `kinds`, as `Dialect.types` names them, the values of a projection are of."""
    kind, inference = flat_type(projection), projection.inference or Inference()
    if is_key:
        types = [name for name in inference.types if name != "null"]
        kind = types[0] if len(types) == 1 and types[0] in _TYPES_OF_KEYS else "key"
        kind = f"key:{kind}" if f"key:{kind}" in kinds else kind
    elif projection.ptr == "":
        return "document"
    elif isinstance(config, dict) and config.get("castToString") is True:
        return "string"
    elif kind == "string" and inference.string and f"string:{inference.string.format}" in kinds:
        return f"string:{inference.string.format}"
    return "integer:64" if kind == "integer" and _fits_64_bits(inference) else kind


def _fits_64_bits(inference: Inference) -> bool:
    """Whether the schema's bounds keep a location's integers within 64 bits."""
    bounds = inference.numeric
    if bounds is None or not (bounds.has_minimum and bounds.has_maximum):
        return False
    return bounds.minimum >= BIG_INTEGER.start and bounds.maximum < BIG_INTEGER.stop
