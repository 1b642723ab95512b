"""A materialization into a DuckDB file."""

from materialize_duckdb.connector import MaterializeDuckdb

__all__ = ["MaterializeDuckdb"]
