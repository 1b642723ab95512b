"""The connector: its config, and what it is made of."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from materialize_sqlite.dialect import SqliteDialect
from materialize_sqlite.endpoint import SqliteEndpoint
from python.materialize_sql.configs import Advanced, DeltaUpdates, HardDelete, TableName
from python.materialize_sql.connector import SqlConnector

__all__ = ["MaterializeSqlite"]


class Config(Struct, frozen=True, kw_only=True):
    """Where to store."""

    path: Annotated[str, Meta(title="Path", description="The SQLite file; it is made where it is missing.")]
    hard_delete: HardDelete = False
    advanced: Annotated[Advanced, Meta(extra_json_schema={"advanced": True})] = Advanced()


class Resource(Struct, frozen=True, kw_only=True):
    """The table of a binding."""

    table: TableName
    delta_updates: DeltaUpdates = False


class MaterializeSqlite(SqlConnector[Config, Resource]):
    """A materialization into a SQLite file."""

    documentation_url = "https://github.com/headwater/headwater/tree/main/materialize-sqlite"
    dialect = SqliteDialect()

    def connect(self, config: Config) -> SqliteEndpoint:
        """Return a session with the file."""
        return SqliteEndpoint(config.path)

    def default_schema(self, config: Config) -> str:
        """Return the one schema of a file."""
        del config
        return "main"
