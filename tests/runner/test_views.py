from typing import Any

import duckdb
import pytest

from python.runner.views import COLUMNS_MAX, Column, columns_of, view_sql


def column(schema: Any) -> Column:
    (found,) = columns_of({"properties": {"c": schema}})
    return found


def value(schema: Any, json: str, widths: dict[str, str] | None = None) -> Any:
    """What the view shows of a member `c` with the text `json`."""
    with duckdb.connect() as db:
        db.execute("set TimeZone = 'UTC'")
        db.execute("create table documents (key varchar, doc varchar)")
        db.execute("insert into documents values ('', $1)", [f'{{"c":{json}}}'])
        db.execute(view_sql("v", "documents", [column(schema)], widths or {}))
        row = db.execute("select c, flow_document from v").fetchone()
    assert row is not None
    assert row[1] == f'{{"c":{json}}}'
    return row[0]


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "integer"}, "BIGINT"),
        ({"type": ["integer", "null"]}, "BIGINT"),
        ({"type": "integer", "maximum": 2**64}, "HUGEINT"),
        ({"type": "integer", "minimum": 0, "maximum": 100}, "BIGINT"),
        ({"type": "number"}, "DOUBLE"),
        ({"type": ["integer", "number"]}, "DOUBLE"),
        ({"type": "boolean"}, "BOOLEAN"),
        ({"type": "string"}, "VARCHAR"),
        ({"type": "string", "format": "date-time"}, "TIMESTAMPTZ"),
        ({"type": ["string", "null"], "format": "date"}, "DATE"),
        ({"type": "string", "format": "uuid"}, "VARCHAR"),
        ({"type": ["string", "integer"]}, "JSON"),
        ({"type": "array", "items": {"type": "integer"}}, "JSON"),
        ({"type": "object"}, "JSON"),
        ({}, "JSON"),
        (True, "JSON"),
    ],
)
def test_a_column_has_the_type_of_its_schema(schema: Any, kind: str) -> None:
    assert column(schema).type == kind


def test_members_of_objects_are_columns_named_as_flow_names_them() -> None:
    schema: Any = {
        "$defs": {"address": {"type": "object", "properties": {"street": {"type": "string"}, "a/b": {}}}},
        "properties": {"id": {"type": "integer"}, "home": {"$ref": "#/$defs/address"}},
        "allOf": [{"properties": {"_meta": {"properties": {"op": {"type": "string"}}}}}],
    }
    assert {found.name for found in columns_of(schema)} == {"id", "home/street", "home/a~1b", "_meta/op"}


def test_names_that_differ_by_case_alone_or_clash_with_the_document_are_numbered() -> None:
    schema: Any = {"properties": {name: {} for name in ("id", "ID", "Id_2", "Flow_Document")}}
    names = [found.name for found in columns_of(schema)]
    assert len({name.lower() for name in names} - {"flow_document"}) == 4


def test_a_schema_of_thousands_of_properties_has_a_bounded_view() -> None:
    schema: Any = {"properties": {f"p{number}": {} for number in range(COLUMNS_MAX + 100)}}
    assert len(columns_of(schema)) == COLUMNS_MAX


@pytest.mark.parametrize(
    ("schema", "text", "shown"),
    [
        ({"type": "integer"}, "9223372036854775807", 2**63 - 1),
        ({"type": "integer"}, "-9223372036854775808", -(2**63)),
        ({"type": "integer"}, "2.0", 2),
        ({"type": "integer"}, "2.5", None),
        ({"type": "integer"}, '"x"', None),
        ({"type": "integer"}, "null", None),
        ({"type": "number"}, "1.10", 1.1),
        ({"type": "number"}, "1e400", None),
        ({"type": "number"}, "-1e400", None),
        ({"type": "boolean"}, "true", True),
        ({"type": "boolean"}, "[]", None),
        ({"type": "string"}, '"\\u00e9\\n"', "é\n"),
        ({"type": "string", "format": "date-time"}, '"yesterday"', None),
        ({"type": "string", "format": "date"}, '"2021-02-30"', None),
        ({"type": "object"}, '{"a":[1,18446744073709551617]}', '{"a":[1,18446744073709551617]}'),
        ({}, '"x"', '"x"'),
    ],
)
def test_a_value_is_shown_as_it_is_or_not_at_all(schema: Any, text: str, shown: Any) -> None:
    assert value(schema, text) == shown


def test_a_date_time_is_a_point_in_time() -> None:
    shown = value({"type": "string", "format": "date-time"}, '"2020-01-01T01:00:00+01:00"')
    assert shown.isoformat() == "2020-01-01T00:00:00+00:00"


@pytest.mark.parametrize(("width", "shown"), [("HUGEINT", 2**64 + 1), ("VARCHAR", "18446744073709551617")])
def test_a_widened_column_shows_large_integers(width: str, shown: Any) -> None:
    assert value({"type": "integer"}, "18446744073709551617", {"c": width}) == shown


@pytest.mark.parametrize("name", ["a/b", "a~b", "it's", 'say "c"', "ünï", "a b", "$.x", "1"])
def test_any_property_can_be_a_column(name: str) -> None:
    with duckdb.connect() as db:
        db.execute("create table documents (key varchar, doc varchar)")
        db.execute("insert into documents select '', json_object($1, 5)", [name])
        db.execute(view_sql("v", "documents", columns_of({"properties": {name: {"type": "integer"}}}), {}))
        row = db.execute("select columns(* exclude flow_document) from v").fetchone()
    assert row == (5,)
