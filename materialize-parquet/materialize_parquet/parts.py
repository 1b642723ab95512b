"""Part files: Parquet, in row groups of bounded size."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from materialize_parquet.columns import ARROW, migrated
from materialize_parquet.folder import Folder
from materialize_parquet.manifest import ColumnOf

__all__ = ["ROWS_MAX", "Part", "conformed", "groups", "is_part", "part_name", "read_part", "schema_of", "write_part"]

ROWS_MAX = 10_000
"""Rows of a row group: what is decoded at once."""

_PREFIX, _SUFFIX = "part-", ".parquet"


class Part:
    """A part file that is being written: `add` rows, then `end`."""

    def __init__(self, folder: Folder, name: str, schema: pa.Schema) -> None:
        self._folder = folder
        self._name = name
        self._file: IO[bytes] = folder.begin(name)
        self._writer = pq.ParquetWriter(self._file, schema, compression="zstd")
        self.rows = 0

    def add(self, rows: pa.Table) -> None:
        """Write `rows`, which are of the part's schema."""
        self._writer.write_table(rows, row_group_size=ROWS_MAX)
        self.rows += rows.num_rows

    def end(self) -> None:
        """The file is complete, and there after a crash."""
        self._writer.close()
        self._folder.end(self._name, self._file)


def part_name(transaction: str, number: int) -> str:
    """Return the name of the part file `number` that a transaction makes in a table."""
    return f"{_PREFIX}{transaction}.{number:05}{_SUFFIX}"


def is_part(name: str) -> bool:
    """Return whether the file `name` of a table's folder is ours."""
    return name.startswith(_PREFIX) and name.endswith(_SUFFIX)


def schema_of(columns: Sequence[ColumnOf]) -> pa.Schema:
    """Return the schema of files with these columns. Values of any column may be missing in later files."""
    return pa.schema([pa.field(column.name, ARROW[column.type]) for column in columns])


def write_part(folder: Folder, name: str, rows: pa.Table) -> None:
    """The file `name` has these rows, and is there after a crash."""
    part = Part(folder, name, rows.schema)
    part.add(rows)
    part.end()


def read_part(folder: Folder, name: str) -> pa.Table:
    """Return the rows of a part file. Raises FileNotFoundError where there is none."""
    with groups(folder, name) as file:
        return file.read()


@contextlib.contextmanager
def groups(folder: Folder, name: str) -> Iterator[Any]:
    """Within, the row groups of a part file can be read. Raises FileNotFoundError where there is none."""
    with folder.opened(name) as opened, pq.ParquetFile(opened) as file:
        yield file


def conformed(rows: pa.Table, had: Sequence[ColumnOf], columns: Sequence[ColumnOf]) -> pa.Table:
    """Return `rows`, whose columns are named by `had`, in order, with `columns` in place of these.

    What is new is null, and what is of a narrower type becomes one of the wider.
    """
    places = {column.name: index for index, column in enumerate(had)}
    made = []
    for column in columns:
        index = places.get(column.name)
        if index is None:
            made.append(pa.chunked_array([pa.nulls(rows.num_rows, ARROW[column.type])]))
        else:
            made.append(migrated(rows.column(index), had[index].type, column.type))
    return pa.Table.from_arrays(made, schema=schema_of(columns))
