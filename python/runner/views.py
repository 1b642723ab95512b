"""A view a collection: typed columns over its documents, for people and for any DuckDB client."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from python.protocol import pointer

__all__ = ["Column", "columns_of", "view_sql"]

COLUMNS_MAX = 500
"""More columns make a view that nobody reads; the rest is in `flow_document`."""

_DEPTH_MAX = 2  # objects inside of the document's own members get columns, what lies deeper is JSON in theirs
_FORMATS = {"date-time": "TIMESTAMPTZ", "date": "DATE", "time": "TIME", "uuid": "UUID"}
_TYPES = {"integer": "HUGEINT", "number": "DOUBLE", "boolean": "BOOLEAN", "string": "VARCHAR"}


class Column(msgspec.Struct, frozen=True):
    """A column: its name, the tokens of its location, and its DuckDB type (`JSON` where no other fits)."""

    name: str
    tokens: tuple[str, ...]
    type: str


def columns_of(schema: object) -> list[Column]:
    """Return the columns of a collection's JSON Schema: its properties, and those of objects within.

    Integers are HUGEINT, since a BIGINT would lose what JSON and Flow allow; a value that does not fit its column's
    type is null there, and whole in `flow_document`.
    """
    return list({column.name.lower(): column for column in _columns(schema, ())}.values())[:COLUMNS_MAX]


def view_sql(name: str, table: str, columns: Sequence[Column]) -> str:
    """Return the statement that makes the view of collection `name` over `table`."""
    chosen = [
        f"{_expression(column)} as {_quoted(column.name)}" for column in columns if column.name != "flow_document"
    ]
    selected = ",\n  ".join([*chosen, "doc::json as flow_document"])
    return f"create or replace view {_quoted(name)} as select\n  {selected}\nfrom {table} where doc is not null"


def _columns(schema: object, at: tuple[str, ...]) -> list[Column]:
    found: list[Column] = []
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        return found
    for name, value in schema["properties"].items():
        tokens = (*at, name)
        nested = _columns(value, tokens) if len(tokens) < _DEPTH_MAX else []
        found += nested or [Column(pointer.join(tokens)[1:], tokens, _type(value))]
    return found


def _type(schema: object) -> str:
    if not isinstance(schema, dict):
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
    return _TYPES.get(kind, "JSON")


def _expression(column: Column) -> str:
    path = "/" + "/".join(token.replace("~", "~0").replace("/", "~1") for token in column.tokens)
    literal = "'" + path.replace("'", "''") + "'"
    if column.type == "JSON":
        return f"json_extract(doc, {literal})"
    text = f"json_extract_string(doc, {literal})"
    return text if column.type == "VARCHAR" else f"try_cast({text} as {column.type})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
