from __future__ import annotations

import logging
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.shim_common.schemas import keyed, repaired, types_of

UNKNOWN = ["string", "integer", "boolean"]


def fixed(**schema: Any) -> Any:
    """The repaired schema of a property `p` with this schema."""
    found: Any = repaired({"type": "object", "properties": {"p": schema}}, "s")
    return found["properties"]["p"]


def test_the_source_s_schema_is_not_changed() -> None:
    schema = {"type": "object", "properties": {"p": {"type": "string", "enum": ["a"]}}, "additionalProperties": False}
    before = str(schema)

    repaired(schema, "s")

    assert str(schema) == before


@pytest.mark.parametrize("schema", [{}, {"properties": {}}, {"type": ["null", "object"]}, None, []])
def test_the_root_is_an_object(schema: Any) -> None:
    assert repaired(schema, "s") == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("came", "want"),
    [
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"type": "string", "format": "money"}, {"type": "string"}),
        ({"type": "integer", "format": "int64"}, {"type": "integer"}),
        ({"type": "string", "format": "int32"}, {"type": "string", "format": "integer"}),
        ({"format": "int64"}, {"type": "integer"}),
        ({"type": ["null", "string"], "format": "double"}, {"type": ["null", "string"], "format": "number"}),
        ({"type": "number", "format": "float"}, {"type": "number"}),
        ({"type": "object", "format": "date-time"}, {"type": "object"}),
        ({"type": "string", "format": 5}, {"type": "string"}),
        (
            {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
            {"type": "string", "format": "date-time"},
        ),
        ({"type": "string", "format": "time", "airbyte_type": "time_without_timezone"}, {"type": "string"}),
    ],
)
def test_formats_are_those_of_flow(came: Any, want: Any) -> None:
    assert fixed(**came) == want


@pytest.mark.parametrize(
    ("came", "want"),
    [
        ({"enum": ["a", "b"]}, {"type": "string"}),
        ({"enum": ["a", 1, None]}, {"type": ["integer", "null", "string"]}),
        ({"type": "string", "enum": ["a"]}, {"type": "string"}),
    ],
)
def test_enumerations_go_and_their_types_stay(came: Any, want: Any) -> None:
    assert fixed(**came) == want


@pytest.mark.parametrize(
    ("came", "want"),
    [
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"maximum": 1, "exclusiveMaximum": False}, {"maximum": 1}),
        ({"divisibleBy": 2}, {"multipleOf": 2}),
        ({"id": "x", "$schema": "http://json-schema.org/draft-04/schema#"}, {}),
        ({"items": [{"enum": [1]}], "additionalItems": {}}, {"prefixItems": [{"type": "integer"}], "items": {}}),
        ({"dependencies": {"a": ["b"]}}, {"dependentRequired": {"a": ["b"]}}),
        ({"dependencies": {"a": {"required": ["b"]}}}, {"dependentSchemas": {"a": {"required": ["b"]}}}),
        ({"type": "string", "required": True}, {"type": "string"}),
        ({"properties": []}, {}),
    ],
)
def test_leftovers_of_older_drafts_are_modern(came: Any, want: Any) -> None:
    assert fixed(**came) == want


@pytest.mark.parametrize(
    ("came", "want"),
    [
        ({"type": "string", "airbyte_type": "big_integer", "airbyte_secret": True, "x-foo": 1}, {"type": "string"}),
        ({"type": "any"}, {}),
        ({"type": ["null", "strnig", "string"]}, {"type": ["null", "string"]}),
        ({"type": ["null", "nothing"]}, {"type": "null"}),
        ({"type": "object", "additionalProperties": False}, {"type": "object"}),
        (
            {"type": "object", "additionalProperties": {"enum": ["a"]}},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ),
        ({"$ref": "http://elsewhere/x.json"}, {}),
        ({"$ref": "#/definitions/x"}, {"$ref": "#/definitions/x"}),
        ({"type": "string", "pattern": "(("}, {"type": "string"}),
        ({"type": "string", "pattern": "^a"}, {"type": "string", "pattern": "^a"}),
        ({"anyOf": [{"enum": ["a"]}, "odd"]}, {"anyOf": [{"type": "string"}, {}]}),
        ({"not": False}, {"not": False}),
    ],
)
def test_what_flow_may_refuse_is_gone(came: Any, want: Any) -> None:
    assert fixed(**came) == want


def test_a_property_may_bear_the_name_of_a_keyword() -> None:
    schema = {"type": "object", "properties": {"enum": {"type": "string"}, "airbyte_type": {"type": "string"}}}

    assert repaired(schema, "s") == schema


def test_each_repair_is_logged_at_debug_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        fixed(type="string", format="money")

    assert "stream s: schema /properties/p: dropped the format 'money'" in caplog.text
    assert {entry.levelno for entry in caplog.records} == {logging.DEBUG}


@pytest.mark.parametrize(
    ("came", "want"),
    [
        ({"type": ["null", "string"]}, "string"),
        ({"type": ["null", "integer"]}, "integer"),
        ({"type": "number"}, "integer"),
        ({"type": "boolean"}, "boolean"),
        ({"type": ["string", "integer"]}, "string"),
        ({"type": "object"}, UNKNOWN),
        ({}, UNKNOWN),
    ],
)
def test_a_key_is_required_and_of_one_scalar_type(came: Any, want: str | list[str]) -> None:
    schema = keyed({"type": "object", "properties": {"id": came}}, [["id"]], "s")

    assert schema == {"type": "object", "properties": {"id": {"type": want}}, "required": ["id"]}


@pytest.mark.parametrize("value", ["a", 7, True])
def test_a_key_of_which_the_schema_says_nothing_takes_what_flow_takes(value: object) -> None:
    schema = keyed({"type": "object", "properties": {"n": {"type": "integer"}}}, [["id"]], "s")

    jsonschema.validate({"id": value}, schema)


@pytest.mark.parametrize("value", [None, 1.5, {}, []])
def test_a_key_of_which_the_schema_says_nothing_takes_no_more(value: object) -> None:
    schema = keyed({"type": "object", "properties": {}}, [["id"]], "s")

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"id": value}, schema)


def test_a_key_with_a_format_and_no_type_is_a_string() -> None:
    schema = keyed({"type": "object", "properties": {"id": {"format": "uuid"}}}, [["id"]], "s")

    assert schema["properties"] == {"id": {"type": "string", "format": "uuid"}}


@pytest.mark.parametrize(
    ("came", "want"),
    [
        ({"anyOf": [{"type": "integer"}, {"type": "null"}], "title": "Id"}, {"type": "integer", "title": "Id"}),
        ({"oneOf": [{"type": "integer", "minimum": 1}]}, {"type": "integer", "minimum": 1}),
        ({"anyOf": [{"type": "null"}, {"$ref": "#/$defs/id"}]}, {"type": "integer", "description": "An id."}),
        ({"allOf": [{"$ref": "#/$defs/id"}]}, {"type": "integer", "description": "An id."}),
        (
            {"allOf": [{"anyOf": [{"type": ["null", "string"], "format": "uuid"}]}]},
            {"type": "string", "format": "uuid"},
        ),
        ({"anyOf": [{"type": "integer", "maximum": 0}, {"type": "integer", "minimum": 9}]}, {"type": "integer"}),
        ({"oneOf": [{"type": "object"}, {"type": "null"}]}, {"type": UNKNOWN}),
        ({"$ref": "#/$defs/endless"}, {"type": UNKNOWN}),
    ],
)
def test_a_key_has_the_type_of_its_branches(came: Any, want: Any) -> None:
    definitions = {
        "id": {"type": "integer", "description": "An id."},
        "endless": {"anyOf": [{"$ref": "#/$defs/endless"}]},
    }

    schema = keyed({"type": "object", "properties": {"id": came}, "$defs": definitions}, [["id"]], "s")

    assert schema["properties"] == {"id": want}


def test_a_key_inside_of_an_object_that_may_be_null_keeps_its_type() -> None:
    parent = {"anyOf": [{"type": "object", "properties": {"id": {"type": "integer"}}}, {"type": "null"}]}

    schema = keyed({"type": "object", "properties": {"parent": parent}}, [["parent", "id"]], "s")

    jsonschema.validate({"parent": {"id": 5}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"parent": {"id": "5"}}, schema)


def test_a_key_inside_of_objects_makes_them_required() -> None:
    schema = keyed({"properties": {"a": {"type": ["null", "object"]}}}, [["a", "b/c"]], "s")

    assert schema["required"] == ["a"]
    assert schema["properties"] == {
        "a": {"type": "object", "properties": {"b/c": {"type": UNKNOWN}}, "required": ["b/c"]}
    }


def test_a_key_behind_a_reference_is_repaired_in_place() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"id": {"$ref": "#/definitions/id", "title": "Id"}},
        "definitions": {"id": {"type": ["null", "integer"]}},
    }

    assert keyed(schema, [["id"]], "s")["properties"] == {"id": {"type": "integer", "title": "Id"}}


def test_a_key_of_which_the_schema_says_nothing_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    keyed({"type": "object", "properties": {}}, [["id"]], "users")

    assert "stream users: the schema says nothing usable of the key /id" in caplog.text


def test_a_key_is_not_required_twice() -> None:
    schema = keyed({"properties": {"id": {"type": "string"}}, "required": ["id"]}, [["id"]], "s")

    assert schema["required"] == ["id"]


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
NAMES = st.sampled_from(
    """
    type format enum properties items required minimum exclusiveMinimum anyOf additionalProperties dependencies pattern
    $ref id airbyte_type string object null integer
    """.split()  # noqa: SIM905 -- a column of single words
)
SCHEMAS = st.recursive(
    SCALARS | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(SCHEMAS)
def test_no_schema_breaks_the_repair_and_to_repair_twice_changes_nothing(schema: Any) -> None:
    once = repaired(schema, "s")

    assert repaired(once, "s") == once


@given(
    st.dictionaries(
        NAMES, st.fixed_dictionaries({"type": st.sampled_from(["string", "integer", "nothing"])}), max_size=4
    )
)
def test_a_repaired_schema_is_a_json_schema(properties: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(repaired({"type": "object", "properties": properties}, "s"))


def test_types_are_those_a_schema_names() -> None:
    assert types_of({"type": ["null", "string"]}) == ("null", "string")
    assert types_of({"type": "integer"}) == ("integer",)
    assert types_of({}) == types_of("odd") == ()
