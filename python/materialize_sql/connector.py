"""The base class of SQL materializations: a config, a dialect and an endpoint make a connector."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from python.connector import EndpointConfig, ResourceConfig
from python.materialize import Applied, Apply, Asked, Connector, ConnectorError, Open, Transactor, Validate
from python.materialize_constraints import Resource, constraints_of
from python.materialize_requests import Binding
from python.materialize_sql.dialect import CHECKPOINTS, Dialect
from python.materialize_sql.endpoint import Endpoint
from python.materialize_sql.fences import fence_off, raise_fence
from python.materialize_sql.planner import Action, Found, plan
from python.materialize_sql.tables import (
    Column,
    ExistingColumn,
    ExistingTable,
    Place,
    Table,
    checkpoints_gone,
    table_of,
)
from python.materialize_sql.transactor import SqlTransactor
from python.protocol.flow import Projection
from python.protocol.materialize import ValidatedBinding

__all__ = ["SqlConnector"]

_ALLOW_EXISTING = "allow_existing_tables_for_new_bindings"


class SqlConnector(Connector[EndpointConfig, ResourceConfig, dict]):  # type: ignore[type-arg] # there is no state
    """A materialization into a SQL database; its state is in the database.

    Subclasses set `dialect` and give `connect`. Resource paths are a table's name, with its schema before it where the
    resource config says one; else the schema is `default_schema(config)`.
    """

    dialect: ClassVar[Dialect]

    def connect(self, config: EndpointConfig) -> Endpoint:
        """Return a session with the database. Raises ConnectorError saying why there is none."""
        raise NotImplementedError(f"{type(self).__name__}.connect")

    def default_schema(self, config: EndpointConfig) -> str:
        """Return the schema of tables whose resource config says none, and of the table of checkpoints."""
        raise NotImplementedError(f"{type(self).__name__}.default_schema")

    def hard_delete(self, config: EndpointConfig) -> bool:
        """Return whether rows of deleted documents go."""
        return bool(getattr(config, "hard_delete", False))

    def feature_flags(self, config: EndpointConfig) -> Mapping[str, bool]:
        """Return the feature flags that the config sets: names, which `no_` before them turns off."""
        advanced = getattr(config, "advanced", None)
        named = [flag.strip() for flag in getattr(advanced, "feature_flags", "").split(",") if flag.strip()]
        return {flag.removeprefix("no_"): not flag.startswith("no_") for flag in named}

    def _allows_existing(self, config: EndpointConfig) -> bool:
        """Return whether tables may hold documents that this task did not store, and that loads must be asked for."""
        return self.feature_flags(config).get(_ALLOW_EXISTING, False)

    def validate(self, request: Validate[EndpointConfig, ResourceConfig]) -> Iterable[ValidatedBinding]:
        """Return what may become of each field, by what the database has."""
        places = self._places(request.config, request.bindings)
        with contextlib.closing(self.connect(request.config)) as endpoint, endpoint.telling("look at the tables"):
            found = endpoint.inspect(places)
        allow = self._allows_existing(request.config)
        return [
            ValidatedBinding(
                constraints=constraints_of(asked, self._resource_of(asked, found, place, allow_existing=allow)),
                case_insensitive_fields=self.dialect.case_insensitive,
            )
            for asked, place in zip(request.bindings, places, strict=True)
        ]

    def apply(self, request: Apply[EndpointConfig, ResourceConfig, dict[str, Any]]) -> Applied:
        """Bring the database to what the bindings want."""
        tables = self._tables(request.config, request.bindings)
        last = self._last_tables(request)
        schema = self.default_schema(request.config)
        with contextlib.closing(self.connect(request.config)) as endpoint:
            with endpoint.telling("look at the tables"):
                found = endpoint.inspect([(schema, CHECKPOINTS), *(table.place for table in tables)])
            actions = list(plan(self.dialect, found, tables, last, schema))
            for action in actions:
                with endpoint.telling(action.description):
                    _perform(endpoint, action, schema, request.name)
        return Applied(action_description="\n".join(action.description for action in actions))

    def open(self, request: Open[EndpointConfig, ResourceConfig, dict[str, Any]]) -> Transactor:
        """Return the session with the database, which takes over from those before it."""
        tables = self._tables(request.config, request.bindings)
        endpoint = self.connect(request.config)
        with endpoint.telling("open the tables"):
            schema = self.default_schema(request.config)
            checkpoints = (schema, CHECKPOINTS)
            if checkpoints not in endpoint.inspect([checkpoints]).tables:
                raise checkpoints_gone(checkpoints)
            fence = raise_fence(endpoint, schema, request.name, request.range)  # no apply changes the tables unseen now
            found = _existing(endpoint, [table.place for table in tables])
            stored = [table.stored_in(found[table.place], self.dialect.fold) for table in tables]
        transactor = SqlTransactor(endpoint, stored, fence, hard_delete=self.hard_delete(request.config))
        transactor.disable_load_optimization = self._allows_existing(request.config)
        return transactor

    def _places(
        self, config: EndpointConfig, bindings: Sequence[Asked[ResourceConfig] | Binding[ResourceConfig]]
    ) -> list[Place]:
        """Return the tables of `bindings`. Raises ConnectorError where two have the same, or one cannot be."""
        places: list[Place] = []
        taken: dict[Place, int] = {}
        for binding in bindings:
            place = self._place(config, binding.resource_path)
            self.dialect.refuse_table(binding.index, place)
            folded = (self.dialect.fold(place[0]), self.dialect.fold(place[1]))
            other = taken.setdefault(folded, binding.index)
            if other != binding.index:
                raise ConnectorError(
                    f"the bindings {other} and {binding.index} both store to the table {'.'.join(place)}; rename one"
                )
            places.append(place)
        return places

    def _place(self, config: EndpointConfig, path: Sequence[str]) -> Place:
        return (self.default_schema(config), path[0]) if len(path) == 1 else (path[0], path[1])

    def _tables(self, config: EndpointConfig, bindings: Sequence[Binding[ResourceConfig]]) -> list[Table]:
        tables = [
            table_of(binding, place, self.dialect.types_of)
            for binding, place in zip(bindings, self._places(config, bindings), strict=True)
        ]
        for table in tables:
            _refuse_double_columns(table, self.dialect.fold)
        return tables

    def _last_tables(self, request: Apply[EndpointConfig, ResourceConfig, Any]) -> dict[int, Table]:
        """Return the tables of the spec before, by the bindings that store to the same resources now."""
        now = {binding.resource_path: binding.index for binding in request.bindings}
        return {
            now[last.resource_path]: table_of(
                last, self._place(request.config, last.resource_path), self.dialect.types_of
            )
            for last in reversed(request.last_bindings)  # the active ones come first, and win
            if last.resource_path in now
        }

    def _resource_of(
        self, asked: Asked[ResourceConfig], found: Found, place: Place, *, allow_existing: bool
    ) -> Resource:
        """Return what the database says of the table of a binding."""
        existing = found.tables.get(place)
        fold = self.dialect.fold
        before = table_of(asked.last, place, self.dialect.types_of).by_name(fold) if asked.last else {}

        def misfit(projection: Projection, there: ExistingColumn) -> str:
            is_key = projection.field in asked.group_by if asked.group_by else projection.ptr in asked.collection.key
            types = self.dialect.types_of(projection, is_key=is_key, config=asked.field_config.get(projection.field))
            column = Column(field=projection.field, types=types, nullable=True, is_key=is_key)
            was = before.get(fold(there.name))
            known = was.known(there) if was else there
            if column.accepts(known) or self.dialect.migration(column, known):
                return ""
            return (
                f"the table has it as {there.type or 'a column of no type'}, and its values are {column.type.want} now"
            )

        return Resource(
            unfit=lambda projection: self.dialect.unfit_column(projection.field),
            misfit=misfit,
            fold=fold,
            columns={fold(column.name): column for column in existing.columns} if existing else {},
            exists=existing is not None,
            occupied=existing is not None and existing.occupied,
            allow_existing=allow_existing,
        )


def _perform(endpoint: Endpoint, action: Action, schema: str, materialization: str) -> None:
    with endpoint.transaction():
        if action.fences:
            fence_off(endpoint, schema, materialization)
        endpoint.perform(action)


def _existing(endpoint: Endpoint, places: Sequence[Place]) -> Mapping[Place, ExistingTable]:
    """Return the tables at `places`. Raises ConnectorError where one is not there."""
    found = endpoint.inspect(places).tables
    for place in places:
        if place not in found:
            raise ConnectorError(f"there is no table {'.'.join(place)}; raise the `backfill` counter of its binding")
    return found


def _refuse_double_columns(table: Table, fold: Callable[[str], str]) -> None:
    taken: dict[str, str] = {}
    for column in table.columns:
        other = taken.setdefault(fold(column.field), column.field)
        if other != column.field:
            raise ConnectorError(
                f"table {table.named}: the fields {other!r} and {column.field!r} would be the same column; exclude one"
            )
