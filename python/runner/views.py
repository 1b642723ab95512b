"""A view a collection: typed columns over its documents, for people and for any DuckDB client.

The columns are what the schema names: its properties, and those of objects within. A value that does not fit its
column is null there, and whole in `flow_document`; but an integer always fits: a column of integers begins as BIGINT
and becomes HUGEINT, then VARCHAR, once a document has a larger one. DuckDB reads fractions as doubles, also inside of
JSON: where more digits matter, they are in `flow_document`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from python.protocol import pointer
from python.runner.inference import infer, locations
from python.runner.schemas import Schema
from python.runner.shape import Shape

__all__ = ["COLUMNS_MAX", "INTEGERS", "Column", "columns_of", "quoted", "view_sql", "width_sql"]

COLUMNS_MAX = 500
"""More columns make a view that nobody reads; the rest is in `flow_document`."""

INTEGERS = ("BIGINT", "HUGEINT", "VARCHAR")
"""The types of a column of integers, each wide enough for the one before."""

_DOCUMENT = "flow_document"
_FORMATS = {"date-time": "TIMESTAMPTZ", "date": "DATE"}
_BIGINT = (-(2**63), 2**63 - 1)


class Column(msgspec.Struct, frozen=True):
    """A column: its name, the tokens of its location, and its DuckDB type (`JSON` where no other fits).

    `integer` says that the location holds integers: then `type` is one of `INTEGERS`.
    """

    name: str
    tokens: tuple[str, ...]
    type: str
    integer: bool = False


def columns_of(schema: Schema) -> list[Column]:
    """Return the columns of a collection's bundled JSON Schema: a column for each location that it names.

    A column bears Flow's name for the location, its JSON pointer without the leading slash. DuckDB tells no upper from
    lower case: of two names that differ by case alone, the later one is numbered. Objects with named members have
    columns for these alone. Raises SchemaError for a reference to nothing.
    """
    named: dict[str, Column] = {}
    for place in locations(infer(schema)):
        if not place.ptr or place.shape.properties or not place.shape.types:
            continue
        name, number = place.ptr[1:], 1
        while name.lower() in named or name.lower() in ("", _DOCUMENT):
            number += 1
            name = f"{place.ptr[1:]}_{number}"
        kind = _type(place.shape)
        named[name.lower()] = Column(name, pointer.parse(place.ptr), kind, kind in INTEGERS[:2])
        if len(named) == COLUMNS_MAX:
            break
    return list(named.values())


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


def _type(shape: Shape) -> str:
    types = shape.types - {"null"}
    if types == {"integer", "fractional"}:
        return "DOUBLE"
    if types == {"string"}:
        return _FORMATS.get(shape.annotations.format or "", "VARCHAR")
    if types == {"integer"}:
        bounds = [shape.bounds[name] for name in ("minimum", "maximum") if name in shape.bounds]
        return "BIGINT" if all(_BIGINT[0] <= bound <= _BIGINT[1] for bound in bounds) else "HUGEINT"
    return "BOOLEAN" if types == {"boolean"} else "JSON"


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
