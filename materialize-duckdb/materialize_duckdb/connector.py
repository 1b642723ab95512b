"""The connector: its config, and what it is made of."""

from __future__ import annotations

import os
from typing import Annotated, NoReturn

from msgspec import Meta, Struct

from materialize_duckdb.dialect import DuckdbDialect
from materialize_duckdb.endpoint import DuckdbEndpoint
from python.materialize_sql.configs import Advanced, HardDelete, Resource
from python.materialize_sql.connector import SqlConnector

__all__ = ["MaterializeDuckdb"]


class Config(Struct, frozen=True, kw_only=True):
    """Where to store."""

    path: Annotated[str, Meta(title="Path", description="The DuckDB file; it is made where it is missing.")]
    schema: Annotated[str, Meta(title="Schema", description="The schema of tables that name none.")] = "main"
    hard_delete: HardDelete = False
    advanced: Annotated[Advanced, Meta(extra_json_schema={"advanced": True})] = Advanced()


class MaterializeDuckdb(SqlConnector[Config, Resource]):
    """A materialization into a DuckDB file."""

    documentation_url = "https://github.com/headwater/headwater/tree/main/materialize-duckdb"
    dialect = DuckdbDialect()

    def main(self) -> NoReturn:
        """Serve the connector, and exit in peace: DuckDB's bindings print what the interpreter leaves to the system."""
        try:
            super().main()
        finally:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    def connect(self, config: Config) -> DuckdbEndpoint:
        """Return a session with the file."""
        return DuckdbEndpoint(config.path)

    def default_schema(self, config: Config) -> str:
        """Return the schema of tables that name none."""
        return config.schema
