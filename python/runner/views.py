"""A view a collection: typed columns over its documents, for people and for any DuckDB client.

The columns are what the schema names: its properties, and those of objects within. A value that does not fit its
column is null there, and whole in `flow_document`; but an integer always fits: a column of integers begins as BIGINT
and becomes HUGEINT, then VARCHAR, once a document has a larger one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from python.protocol import pointer

__all__ = ["COLUMNS_MAX", "INTEGERS", "Column", "columns_of", "quoted", "view_sql", "width_sql"]

COLUMNS_MAX = 500
"""More columns make a view that nobody reads; the rest is in `flow_document`."""

INTEGERS = ("BIGINT", "HUGEINT", "VARCHAR")
"""The types of a column of integers, each wide enough for the one before."""

_DOCUMENT = "flow_document"
_DEPTH_MAX = 2  # objects inside of the document's own members get columns, what lies deeper is JSON in theirs
_FORMATS = {"date-time": "TIMESTAMPTZ", "date": "DATE"}
_TYPES = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "string": "VARCHAR"}
_BIGINT = (-(2**63), 2**63 - 1)


class Column(msgspec.Struct, frozen=True):
    """A column: its name, the tokens of its location, and its DuckDB type (`JSON` where no other fits).

    `integer` says that the location holds integers: then `type` is one of `INTEGERS`.
    """

    name: str
    tokens: tuple[str, ...]
    type: str
    integer: bool = False


def columns_of(schema: object) -> list[Column]:
    """Return the columns of a collection's JSON Schema: its properties, and those of objects within.

    DuckDB tells no upper from lower case: of two names that differ by case alone, the later one is numbered.
    """
    named: dict[str, Column] = {}
    for column in _columns(schema, ()):
        name, number = column.name, 1
        while name.lower() in named or name.lower() == _DOCUMENT:
            number += 1
            name = f"{column.name}_{number}"
        named[name.lower()] = msgspec.structs.replace(column, name=name)
    return list(named.values())[:COLUMNS_MAX]


def view_sql(name: str, table: str, columns: Sequence[Column], widths: Mapping[str, str]) -> str:
    """Return the statement that makes the view of collection `name` over `table`, which has `key` and `doc`.

    `widths` are the types of those columns of integers, by name, that have to be wider than the schema says.
    """
    chosen = [f"{_expression(column, widths)} as {quoted(column.name)}" for column in columns]
    selected = ",\n  ".join([*chosen, f"doc::json as {_DOCUMENT}"])
    return f"create or replace view {quoted(name)} as select\n  {selected}\nfrom {table}"


def width_sql(columns: Iterable[Column], source: str) -> str:
    """Return a query of one row: for each of the integer `columns`, the index in `INTEGERS` of the type it needs.

    `source` is the table, or the query in parentheses, of the documents `doc` to look at.
    """
    return f"select {', '.join(map(_needed_width, columns))} from {source}"  # noqa: S608 -- names are quoted, and the source is ours


def quoted(name: str) -> str:
    """Return `name` quoted as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _columns(schema: object, at: tuple[str, ...]) -> list[Column]:
    found: list[Column] = []
    if not isinstance(schema, Mapping) or not isinstance(schema.get("properties"), Mapping):
        return found
    for name, value in schema["properties"].items():
        tokens = (*at, name)
        nested = _columns(value, tokens) if len(tokens) < _DEPTH_MAX else []
        kind = _type(value)
        column = Column(
            pointer.join(tokens)[1:].replace("~1", "/").replace("~0", "~"), tokens, kind, kind in INTEGERS[:2]
        )
        found += nested or [column]
    return found


def _type(schema: object) -> str:
    if not isinstance(schema, Mapping):
        return "JSON"
    declared = schema.get("type", [])
    types = {declared} if isinstance(declared, str) else set(declared)
    types.discard("null")
    if types == {"integer", "number"}:
        types = {"number"}
    if len(types) != 1:
        return "JSON"
    kind = types.pop()
    if kind == "string":
        return _FORMATS.get(schema.get("format", ""), "VARCHAR")
    bounds = [schema[name] for name in ("minimum", "maximum") if isinstance(schema.get(name), int)]
    if kind == "integer" and any(not _BIGINT[0] <= bound <= _BIGINT[1] for bound in bounds):
        return "HUGEINT"
    return _TYPES.get(kind, "JSON")


def _expression(column: Column, widths: Mapping[str, str]) -> str:
    if column.type == "JSON":
        return f"json_extract(doc, {_literal(column)})"
    if column.integer:
        kind = widths.get(column.name, column.type)
        return _integer_text(column) if kind == "VARCHAR" else f"try_cast({_integer_text(column)} as {kind})"
    text = f"json_extract_string(doc, {_literal(column)})"
    if column.type == "DOUBLE":
        return f"nullif(nullif(try_cast({text} as DOUBLE), 'inf'), '-inf')"
    return text if column.type == "VARCHAR" else f"try_cast({text} as {column.type})"


def _integer_text(column: Column) -> str:
    """The digits of an integer; null for a number with a fraction, which a cast would round."""
    text = f"json_extract_string(doc, {_literal(column)})"
    whole = f"nullif(regexp_extract({text}, '^(-?[0-9]+)[.]0*$', 1), '')"
    return f"(case when contains({text}, '.') then {whole} else {text} end)"


def _needed_width(column: Column) -> str:
    text, kind = _integer_text(column), f"json_type(doc, {_literal(column)})"
    number = f"{kind} in ('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE') and {text} is not null"
    fits = " ".join(
        f"when try_cast({text} as {wide}) is not null then {index}" for index, wide in enumerate(INTEGERS[:2])
    )
    return f"coalesce(max(case when not ({number}) then 0 {fits} else {len(INTEGERS) - 1} end), 0)"


def _literal(column: Column) -> str:
    return "'" + pointer.join(column.tokens).replace("'", "''") + "'"
