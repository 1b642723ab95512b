"""`headwater sql`: a query over the store, read-only."""

from __future__ import annotations

import csv
import pathlib
import sys

import duckdb

from python.protocol import document
from python.protocol.errors import HeadwaterError
from python.runner.store import readable_error

__all__ = ["query"]


def query(store_path: str, text: str, *, as_json: bool) -> None:
    """Print the rows of `text`: a table on a terminal, tab-separated values elsewhere, lines of JSON if asked."""
    if not pathlib.Path(store_path).is_file():
        raise HeadwaterError(f"there is no store {store_path}: `headwater run` makes it, or name another with --store")
    try:
        with duckdb.connect(store_path, read_only=True) as db:
            found = db.execute(text)
            names = [column[0] for column in found.description or ()]
            rows = found.fetchall()
    except duckdb.IOException as error:
        raise readable_error(store_path, error) from None
    except duckdb.Error as error:
        raise HeadwaterError(f"the query failed: {error}") from None
    if as_json:
        for row in rows:
            sys.stdout.write(document.encode(dict(zip(names, row, strict=True))).decode() + "\n")
    elif sys.stdout.isatty():
        _table(names, rows)
    else:
        csv.writer(sys.stdout, delimiter="\t", lineterminator="\n").writerows([names, *rows])


def _table(names: list[str], rows: list[tuple[object, ...]]) -> None:
    from rich.console import Console  # noqa: PLC0415 -- only for people
    from rich.table import Table  # noqa: PLC0415 -- same

    table = Table(*names)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    Console().print(table)
