"""`headwater sql`: a query over the store, read-only."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Iterator, Sequence
from typing import TextIO

import duckdb
import msgspec

from python.protocol import document
from python.protocol.errors import HeadwaterError
from python.runner.store_errors import readable_error

__all__ = ["TABLE_ROWS_MAX", "query"]

TABLE_ROWS_MAX = 1_000
"""Rows of a table for people, whose widths have to be known before the first is printed. Other formats are endless."""

_ROWS = 1_000  # fetched at once
_NUMBERS = frozenset({"BOOLEAN", "DOUBLE", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"})
_NO_RESULT = (["Success"], ["Count"])  # what DuckDB calls the column of a statement that only does something
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def query(store_path: str, text: str, *, as_json: bool, out: TextIO | None = None) -> None:
    r"""Print the rows of the SQL `text` over the store to `out`, which is stdout unless given.

    On a terminal that is a table; elsewhere a line for each row and one for the names, tab-separated, with tab, newline
    and backslash escaped as `\t`, `\n`, `\\` and null left empty; with `as_json` one JSON object a row. Raises
    HeadwaterError, a sentence, where there is no such store, it is in use, or the query fails.
    """
    out = out or sys.stdout
    if not pathlib.Path(store_path).is_file():
        raise HeadwaterError(f"there is no store {store_path}: `headwater run` makes it, or name another with --store")
    try:
        with duckdb.connect(store_path, read_only=True, config={"autoinstall_known_extensions": False}) as db:
            db.execute("set TimeZone = 'UTC'")
            for statement in db.extract_statements(text):
                _print(_Result(db, statement), out, as_json=as_json)
    except duckdb.IOException as error:
        raise readable_error(store_path, error) from None
    except duckdb.Error as error:
        raise HeadwaterError(f"the query failed: {error}") from None


class _Result:
    """What a statement returns: `names` of columns and rows, whose values DuckDB has written as text or as JSON."""

    def __init__(self, db: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> None:
        self._db = db
        self._text = statement.query.strip().rstrip(";")
        self._columns: list[tuple[str, str]] = []
        if statement.type == duckdb.StatementType.SELECT:
            self._columns = [(row[0], row[1]) for row in db.execute(f"describe {self._text}\n").fetchall()]
            self.names = [name for name, _ in self._columns]
        else:  # `explain`, `pragma`, `call`, …: these cannot stand in a `from`, to be cast
            named = [column[0] for column in db.execute(statement).description or ()]
            self.names = [] if named in _NO_RESULT else named

    def rows(self, *, as_json: bool) -> Iterator[tuple[object, ...]]:
        """Yield the rows. A column cast by DuckDB needs no Python type of its own, as times with a zone would."""
        if self._columns:
            casts = [(_json_of(kind) if as_json else "{}::varchar") for _, kind in self._columns]
            selected = ", ".join(cast.format(f"#{number}") for number, cast in enumerate(casts, 1))
            self._db.execute(f"select {selected} from ({self._text}\n)")  # noqa: S608 -- the user's own query of the user's own file
        while self.names and (rows := self._db.fetchmany(_ROWS)):
            yield from rows if self._columns or not as_json else (tuple(map(_json_text, row)) for row in rows)


def _print(found: _Result, out: TextIO, *, as_json: bool) -> None:
    rows = found.rows(as_json=as_json)
    if as_json:
        for row in rows:
            values = {name: _value(item) for name, item in zip(found.names, row, strict=True)}
            out.write(document.encode(values).decode() + "\n")
    elif found.names and out.isatty():
        _table(found.names, rows, out)
    else:
        out.writelines("\t".join(line) + "\n" for line in _lines(found.names, rows))


def _lines(names: Sequence[str], rows: Iterator[Sequence[object]]) -> Iterator[list[str]]:
    if names:
        yield [name.translate(_ESCAPES) for name in names]
    for row in rows:
        yield ["" if item is None else str(item).translate(_ESCAPES) for item in row]


def _json_of(kind: str) -> str:
    """How DuckDB is asked for a column: numbers as they are, the rest as JSON text."""
    return "{}" if kind in _NUMBERS or kind.startswith("DECIMAL(") else "to_json({})::varchar"


def _json_text(item: object) -> object:
    """A value that DuckDB has not written as JSON: texts become JSON, and so does all that JSON has no type for."""
    if item is None or isinstance(item, (bool, int, float)):
        return item
    return document.encode(item if isinstance(item, (str, list)) else str(item)).decode()


def _value(item: object) -> object:
    """A value for the JSON of a row; what DuckDB has written as JSON is taken as it stands."""
    return msgspec.Raw(item.encode()) if isinstance(item, str) else item


def _table(names: Sequence[str], rows: Iterator[Sequence[object]], out: TextIO) -> None:
    from rich.console import Console  # noqa: PLC0415 -- only for people
    from rich.table import Table  # noqa: PLC0415 -- same
    from rich.text import Text  # noqa: PLC0415 -- same

    table, more = Table(), ""
    for name in names:
        table.add_column(Text(name))
    for number, row in enumerate(rows):
        if number == TABLE_ROWS_MAX:
            more = f"the first {TABLE_ROWS_MAX:,} rows; pipe the output to see all\n"
            break
        table.add_row(*(Text("" if item is None else str(item)) for item in row))
    Console(file=out).print(table)
    out.write(more)
