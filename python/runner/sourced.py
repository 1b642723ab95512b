"""Sourced schemas: what a connector says its source's documents are (protocol reference, section 3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import msgspec

from python.protocol import pointer
from python.protocol.capture import SourcedSchema
from python.protocol.errors import RemoteProtocolError

__all__ = ["check_sourced"]


def check_sourced(message: SourcedSchema) -> None:
    """Raise RemoteProtocolError where a sourced schema is invalid, or leaves an object open (rule 64)."""
    schema = msgspec.json.decode(message.document_schema)
    try:
        jsonschema_rs.validator_for(schema)
    except (ValueError, jsonschema_rs.ValidationError) as error:
        raise RemoteProtocolError(f"a sourced schema is no JSON Schema: {error}", rule=64) from None
    at = next(_open_objects(schema, ()), None)
    if at is not None:
        raise RemoteProtocolError(
            f"a sourced schema leaves the object at {at or '/'} open; say additionalProperties: false",
            rule=64,
        )


def _open_objects(schema: Any, at: tuple[str | int, ...]) -> Iterator[str]:  # noqa: ANN401 -- a JSON Schema
    if not isinstance(schema, dict):
        return
    kinds = schema.get("type", [])
    if ("object" in kinds or "properties" in schema) and schema.get("additionalProperties") is not False:
        yield pointer.join(at)
    for name, value in (schema.get("properties") or {}).items():
        yield from _open_objects(value, (*at, name))
    if "items" in schema:
        yield from _open_objects(schema["items"], (*at, "items"))
