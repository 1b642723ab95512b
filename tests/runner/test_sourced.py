from __future__ import annotations

from typing import Any

import msgspec
import pytest

from python.protocol.capture import SourcedSchema
from python.protocol.errors import RemoteProtocolError
from python.runner.sourced import check_sourced

CLOSED = {"type": "object", "properties": {"id": {"type": "integer"}}, "additionalProperties": False}


def sourced(schema: Any) -> SourcedSchema:
    return SourcedSchema(document_schema=msgspec.Raw(msgspec.json.encode(schema)))


def has(**schemas: Any) -> dict[str, Any]:
    return {**CLOSED, "properties": schemas}


OPEN = {"type": "object"}


@pytest.mark.parametrize(
    "schema",
    [
        has(inner=CLOSED, list={"type": "array", "items": CLOSED}, anything={}),
        has(a={"oneOf": [CLOSED, {"type": "string"}]}),
        has(a={"allOf": [OPEN, CLOSED]}),
        has(a={"$ref": "#/$defs/a"}) | {"$defs": {"a": CLOSED, "unused": OPEN}},
        has(a={"if": {"required": ["x"]}, "then": CLOSED, "else": CLOSED}),
        {
            **CLOSED,
            "$defs": {"node": has(next={"$ref": "#/$defs/node"})},
            "properties": {"n": {"$ref": "#/$defs/node"}},
        },
        {**CLOSED, "patternProperties": {"^x": CLOSED}},
        False,
    ],
)
def test_a_closed_schema_is_fine(schema: Any) -> None:
    check_sourced(sourced(schema))


@pytest.mark.parametrize(
    ("schema", "at"),
    [
        (OPEN, "at / open"),
        (has(a={"type": ["object", "null"]}), "at /a open"),
        (has(a={"type": "array", "items": {"properties": {}}}), "at /a/items open"),
        (has(a={"$ref": "#/$defs/a"}) | {"$defs": {"a": OPEN}}, "at /a open"),
        ({"$ref": "#/$defs/a", "$defs": {"a": has(b=OPEN)}}, "at /b open"),
        (has(a={"oneOf": [CLOSED, OPEN]}), "at /a open"),
        (has(a={"anyOf": [{"type": "null"}, OPEN]}), "at /a open"),
        (has(a={"oneOf": [{"type": "null"}, has(b=OPEN)]}), "at /a/b open"),
        (has(a={"if": {"required": ["x"]}, "then": OPEN, "else": CLOSED}), "at /a open"),
        (has(a={"allOf": [{"properties": {"b": OPEN}}, CLOSED]}), "at /a/b open"),
        (has(a={"type": "array", "prefixItems": [CLOSED, OPEN]}), "at /a/1 open"),
        ({**CLOSED, "patternProperties": {"^x": OPEN}}, r"at /\^x open"),
    ],
)
def test_an_open_object_is_told_with_its_place(schema: Any, at: str) -> None:
    with pytest.raises(RemoteProtocolError, match=at) as caught:
        check_sourced(sourced(schema))

    assert caught.value.rule == 64


@pytest.mark.parametrize("reference", ["http://127.0.0.1:9/x", "file:///etc/x.json", "#/$defs/gone"])
def test_nothing_is_fetched_for_a_schema_and_the_error_is_one_line(reference: str) -> None:
    with pytest.raises(RemoteProtocolError, match="a sourced schema is no JSON Schema") as caught:
        check_sourced(sourced(has(a={"$ref": reference})))

    assert "\n" not in str(caught.value)


def test_what_is_no_schema_is_told() -> None:
    with pytest.raises(RemoteProtocolError, match="no JSON Schema"):
        check_sourced(sourced({"type": "nonsense"}))


@pytest.mark.parametrize("schema", [[], 7, "x"])
def test_a_schema_is_an_object_or_a_boolean(schema: Any) -> None:
    with pytest.raises(RemoteProtocolError, match="no JSON Schema"):
        check_sourced(sourced(schema))
