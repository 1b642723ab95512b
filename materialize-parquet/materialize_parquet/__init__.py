"""A materialization into Parquet files."""

from materialize_parquet.connector import MaterializeParquet

__all__ = ["MaterializeParquet"]
