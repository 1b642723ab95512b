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


def test_a_closed_schema_is_fine() -> None:
    check_sourced(sourced({**CLOSED, "properties": {"inner": CLOSED, "list": {"type": "array", "items": CLOSED}}}))


@pytest.mark.parametrize(
    ("schema", "at"),
    [
        ({"type": "object"}, "at / open"),
        ({**CLOSED, "properties": {"a": {"type": ["object", "null"]}}}, "at /a open"),
        ({**CLOSED, "properties": {"a": {"type": "array", "items": {"properties": {}}}}}, "at /a/items open"),
    ],
)
def test_an_open_object_is_told_with_its_place(schema: Any, at: str) -> None:
    with pytest.raises(RemoteProtocolError, match=at) as caught:
        check_sourced(sourced(schema))

    assert caught.value.rule == 64


def test_what_is_no_schema_is_told() -> None:
    with pytest.raises(RemoteProtocolError, match="no JSON Schema"):
        check_sourced(sourced({"type": "nonsense"}))
