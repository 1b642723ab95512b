"""A materialization into a PostgreSQL database."""

from materialize_postgres.connector import MaterializePostgres

__all__ = ["MaterializePostgres"]
