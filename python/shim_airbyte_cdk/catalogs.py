"""The ConfiguredAirbyteCatalog of a sync, made of the task's own spec: opening asks the source for no catalog."""

from __future__ import annotations

from collections.abc import Iterable

from python.protocol import pointer
from python.shim_airbyte_cdk.models import Json, mapping
from python.shim_airbyte_cdk.records import Target

__all__ = ["configured_catalog"]


def configured_catalog(targets: Iterable[Target]) -> Json:
    """Return the catalog that reads `targets`."""
    return {"streams": [_configured(target) for target in targets]}


def _configured(target: Target) -> Json:
    modes = ["full_refresh", "incremental"] if target.incremental else ["full_refresh"]
    stream: Json = {"name": target.stream, "json_schema": _own_schema(target.schema), "supported_sync_modes": modes}
    configured: Json = {"stream": stream, "sync_mode": modes[-1], "destination_sync_mode": "append"}
    if target.namespace:
        stream["namespace"] = target.namespace
    if target.key and not target.row_keyed:
        key = [list(pointer.parse(part)) for part in target.key]
        stream["source_defined_primary_key"] = configured["primary_key"] = key
    if target.cursor_field:
        stream["default_cursor_field"] = configured["cursor_field"] = target.cursor_field
    return configured


def _own_schema(schema: Json) -> Json:
    """Return a collection's schema without what is Flow's in it: sources choose fields by its properties."""
    properties = {name: value for name, value in mapping(schema.get("properties")).items() if name != "_meta"}
    kept = {name: value for name, value in schema.items() if name not in ("required", "if", "then", "else")}
    return {**kept, "properties": properties}
