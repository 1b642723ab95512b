"""The models as JSON Schema, for editors and other languages: docs/metadata-schema.json, which `make docs` writes."""

from __future__ import annotations

import msgspec

from python.registry.metadata.models import ConnectorMetadata

__all__ = ["text"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def text() -> str:
    """Return the schema of a metadata.yaml, as a JSON document that ends with a line break."""
    schema = {"$schema": _DIALECT, **ConnectorMetadata.model_json_schema(by_alias=True, mode="validation")}
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
