from __future__ import annotations

from typing import Any

import pytest

from python.runner.inference import infer, locate, locations
from python.runner.schemas import SchemaError
from python.runner.shape import ANYTHING, NOTHING, TYPES, Annotations

DEFINED: dict[str, Any] = {
    "$defs": {"id": {"type": "integer", "title": "Id"}, "tree": {"properties": {"child": {"$ref": "#/$defs/tree"}}}},
    "type": "object",
    "required": ["id", "kind", "absent"],
    "properties": {
        "id": {"$ref": "#/$defs/id", "description": "the key"},
        "kind": {"enum": ["a", "b", None]},
        "tree": {"$ref": "#/$defs/tree"},
        "nested": {"type": ["object", "null"], "required": ["x"], "properties": {"x": {"type": "number"}}},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "a/b~c": {"type": "boolean"},
    },
}


def at(schema: Any, ptr: str) -> tuple[set[str], str]:
    found = locate(infer(schema), ptr)
    return set(found.shape.types), found.exists


def of(schema: Any) -> set[str]:
    return set(infer(schema).types)


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        (True, set(TYPES)),
        (False, set()),
        ({}, set(TYPES)),
        ({"type": "number"}, {"integer", "fractional"}),
        ({"type": ["integer", "null"]}, {"integer", "null"}),
        ({"type": "number", "enum": [1, 2.0]}, {"integer"}),
        ({"const": 1.5}, {"fractional"}),
        ({"const": {"a": 1}}, {"object"}),
        ({"const": None}, {"null"}),
        ({"const": [1]}, {"array"}),
        ({"const": True}, {"boolean"}),
        ({"allOf": [{"type": ["string", "null"]}, {"type": ["string", "integer"]}]}, {"string"}),
        ({"type": "string", "allOf": [{"type": "integer"}]}, set()),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"string", "null"}),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}], "type": ["string", "null"]}, {"string"}),
        ({"anyOf": []}, set(TYPES)),
        ({"if": {}, "then": {"type": "string"}, "else": {"type": "integer"}}, {"string", "integer"}),
        ({"if": {}, "then": {"type": "string"}}, set(TYPES)),
        ({"not": {"type": "string"}}, set(TYPES)),
        ({"type": "strange"}, set()),
    ],
)
def test_types_are_those_that_a_valid_value_may_have(schema: Any, types: set[str]) -> None:
    assert of(schema) == types


@pytest.mark.parametrize(
    ("ptr", "types", "exists"),
    [
        ("", {"object"}, "MUST"),
        ("/id", {"integer"}, "MUST"),
        ("/kind", {"string", "null"}, "MUST"),
        ("/absent", set(TYPES), "MUST"),
        ("/nested", {"object", "null"}, "MAY"),
        ("/nested/x", {"integer", "fractional"}, "MAY"),
        ("/nested/y", set(TYPES), "IMPLICIT"),
        ("/nested/y/z", set(TYPES), "IMPLICIT"),
        ("/tags/0", {"string"}, "MAY"),
        ("/tags/x", set(), "CANNOT"),
        ("/id/x", set(), "CANNOT"),
        ("/a~1b~0c", {"boolean"}, "MAY"),
        ("/tree/child/child", set(TYPES), "IMPLICIT"),
    ],
)
def test_a_location_has_types_and_exists_as_surely_as_the_weakest_step_to_it(
    ptr: str, types: set[str], exists: str
) -> None:
    assert at(DEFINED, ptr) == (types, exists)


def test_a_reference_adds_to_its_siblings() -> None:
    annotations = locate(infer(DEFINED), "/id").shape.annotations

    assert annotations == Annotations(title="Id", description="the key")


def test_locations_are_listed_in_the_order_of_the_schema() -> None:
    assert [place.ptr for place in locations(infer(DEFINED))] == [
        "",
        "/id",
        "/kind",
        "/tree",
        "/tree/child",
        "/nested",
        "/nested/x",
        "/tags",
        "/a~1b~0c",
        "/absent",
    ]


def test_what_is_closed_cannot_have_other_members() -> None:
    schema = {"type": "object", "properties": {"a": {}}, "additionalProperties": False}

    assert at(schema, "/b") == (set(), "CANNOT")


def test_members_by_pattern_may_exist_beside_a_closed_rest() -> None:
    schema = {"patternProperties": {"^x": {"type": "string"}}, "additionalProperties": False, "type": "object"}

    assert at(schema, "/x1") == ({"string"}, "MAY")


def test_items_of_a_tuple_are_joined() -> None:
    shape = infer({"items": [{"type": "string"}, {"type": "null"}], "additionalItems": {"type": "integer"}})

    assert shape.items is not None
    assert set(shape.items.types) == {"string", "null", "integer"}


def test_annotations_and_bounds_are_read() -> None:
    shape = infer(
        {
            "title": "T",
            "format": "date",
            "airbyte_secret": True,
            "contentMediaType": "text/plain",
            "contentEncoding": "base64",
            "default": None,
            "reduce": {"strategy": "sum"},
            "minimum": 1,
            "maxLength": 5,
        }
    )

    assert shape.annotations == Annotations(
        title="T",
        format="date",
        secret=True,
        content_type="text/plain",
        content_encoding="base64",
        default=(None,),
        reduce="sum",
    )
    assert shape.bounds == {"minimum": 1, "maxLength": 5}


def test_a_branch_of_deletions_takes_what_it_does_not_require() -> None:
    schema = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
        "if": {"properties": {"_meta": {"properties": {"op": {"const": "d"}}}}},
        "then": {"reduce": {"strategy": "merge", "delete": True}},
        "else": {"required": ["name"]},
    }

    assert at(schema, "/id") == ({"integer"}, "MUST")
    assert at(schema, "/name") == ({"string"}, "MAY")


def test_a_schema_that_refers_to_itself_is_anything_from_there_on() -> None:
    schema = {"type": "object", "properties": {"self": {"$ref": "#"}}}

    assert infer(schema).properties["self"].shape == ANYTHING


def test_a_reference_by_identity_is_followed() -> None:
    schema = {"$defs": {"w": {"$id": "flow://write-schema", "type": "object"}}, "$ref": "flow://write-schema"}

    assert of(schema) == {"object"}


def test_a_reference_to_nothing_is_an_error() -> None:
    with pytest.raises(SchemaError, match="names nothing inside this schema"):
        infer({"properties": {"a": {"$ref": "#/$defs/gone"}}})


def test_a_schema_that_unfolds_without_end_is_read_less_deep() -> None:
    names = [f"n{index}" for index in range(12)]
    everything = {name: {"$ref": f"#/$defs/{name}"} for name in names}
    definitions = {name: {"type": "object", "properties": everything} for name in names}

    shape = infer({"type": "object", "properties": {**everything, "id": {"type": "integer"}}, "$defs": definitions})

    assert locate(shape, "/id").shape.types == {"integer"}
    assert locate(shape, "/n0/n1").shape.types == {"object"}


def test_no_document_has_no_members() -> None:
    assert infer({"properties": {"a": False}}).properties["a"].shape == NOTHING
    assert [place.exists for place in locations(infer({"properties": {"a": False}}))] == ["MUST", "CANNOT"]
