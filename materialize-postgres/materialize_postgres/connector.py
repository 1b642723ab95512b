"""The connector: its config, and what it is made of."""

from __future__ import annotations

from typing import Annotated, Literal

import psycopg
from msgspec import Meta, Struct

from materialize_postgres.dialect import PostgresDialect
from materialize_postgres.endpoint import PostgresEndpoint
from python.materialize_sql.configs import FeatureFlags, HardDelete, Resource
from python.materialize_sql.connector import SqlConnector
from python.materialize_sql.endpoint import sentence
from python.protocol.errors import ConfigError

__all__ = ["MaterializePostgres"]

PORT = 5432
CONNECT_SECONDS_MAX = 20


class Advanced(Struct, frozen=True, kw_only=True):
    """Settings that few need."""

    sslmode: Annotated[
        Literal["", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
        Meta(title="SSL Mode", description="Whether and how the connection is encrypted; by default, where possible."),
    ] = ""
    feature_flags: FeatureFlags = ""


class Config(Struct, frozen=True, kw_only=True):
    """Where to store."""

    address: Annotated[str, Meta(title="Address", description="Host and port of the server: db.example.com:5432")]
    user: Annotated[str, Meta(title="User", description="The user to connect as.")] = "postgres"
    password: Annotated[
        str, Meta(title="Password", description="The user's password.", extra_json_schema={"secret": True})
    ] = ""
    database: Annotated[str, Meta(title="Database", description="The database to store to.")] = "postgres"
    schema: Annotated[str, Meta(title="Schema", description="The schema of tables that name none.")] = "public"
    hard_delete: HardDelete = False
    advanced: Annotated[Advanced, Meta(extra_json_schema={"advanced": True})] = Advanced()


class MaterializePostgres(SqlConnector[Config, Resource]):
    """A materialization into a PostgreSQL database."""

    documentation_url = "https://github.com/headwater/headwater/tree/main/materialize-postgres"
    dialect = PostgresDialect()

    def connect(self, config: Config) -> PostgresEndpoint:
        """Return a session with the database."""
        host, port = _address(config.address)
        try:
            connection = psycopg.connect(
                host=host,
                port=port,
                user=config.user,
                password=config.password,
                dbname=config.database,
                sslmode=config.advanced.sslmode or "prefer",
                connect_timeout=CONNECT_SECONDS_MAX,
                application_name="materialize-postgres",
                autocommit=True,
                cursor_factory=psycopg.RawCursor,
            )
            return PostgresEndpoint(connection)
        except psycopg.Error as failure:
            want = f"a PostgreSQL server that lets {config.user!r} into {config.database!r} ({sentence(failure)})"
            raise ConfigError(at="/address", got=config.address, want=want) from None

    def default_schema(self, config: Config) -> str:
        """Return the schema of tables that name none."""
        return config.schema


def _address(address: str) -> tuple[str, int]:
    """Return host and port. Raises ConfigError where `address` is none."""
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):  # an IPv6 address without a port
        host, port = address, str(PORT)
    if not host or not port.isdigit():
        raise ConfigError(at="/address", got=address, want="host:port, for example db.example.com:5432")
    return host.strip("[]"), int(port)
