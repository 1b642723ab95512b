"""A materialization into a SQLite file."""

from materialize_sqlite.connector import MaterializeSqlite

__all__ = ["MaterializeSqlite"]
