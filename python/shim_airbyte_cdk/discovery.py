"""An Airbyte catalog as Flow's discovered bindings."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from msgspec import Raw

from python.protocol import document, pointer
from python.protocol.capture import DiscoveredBinding
from python.shim_airbyte_cdk.models import Json
from python.shim_common.collection import ROW_ID_KEY, document_schema, recommended_name
from python.shim_common.values import items

__all__ = ["CDC_DELETED_AT", "RESOURCE_CONFIG_SCHEMA", "RESOURCE_PATH_POINTERS", "bindings_of", "key_of"]

_logger = logging.getLogger(__name__)

CDC_DELETED_AT = "_ab_cdc_deleted_at"
"""The property by which Airbyte's database sources say that a row was deleted, and when."""

RESOURCE_PATH_POINTERS = ("/namespace", "/stream")

RESOURCE_CONFIG_SCHEMA: Json = {
    "title": "ResourceConfig",
    "type": "object",
    "properties": {
        "stream": {"type": "string", "title": "Stream", "description": "The name of the source's stream."},
        "syncMode": {
            "type": "string",
            "title": "Sync Mode",
            "description": "Whether each run reads the stream from its beginning, or what is new since the last run.",
            "enum": ["full_refresh", "incremental"],
        },
        "namespace": {"type": "string", "title": "Namespace", "description": "The namespace of the stream, if any."},
        "cursorField": {
            "type": "array",
            "title": "Cursor Field",
            "description": "The path of the property by which an incremental run knows what is new.",
            "items": {"type": "string"},
        },
    },
    "required": ["stream", "syncMode"],
}


def bindings_of(streams: Iterable[Json]) -> Iterator[DiscoveredBinding]:
    """Yield a binding for each AirbyteStream, in the same order; a stream that cannot be one is skipped, and warned of.

    Names are unique: a second stream of the same recommended name gets a number.
    """
    names: set[str] = set()
    paths: set[tuple[str, ...]] = set()
    for stream in streams:
        name = stream.get("name")
        if not isinstance(name, str) or not name:
            _logger.warning("the source's catalog has a stream without a name; it is left out")
            continue
        try:
            binding = _binding(stream, name, names)
        except (TypeError, ValueError, RecursionError) as error:
            _logger.warning("stream %s cannot be captured, it is left out: %s", name, error)
            continue
        if binding.resource_path in paths:
            _logger.warning("the source has two streams named %s; the second one is left out", name)
            continue
        paths.add(binding.resource_path)
        names.add(binding.recommended_name)
        yield binding


def key_of(stream: Json) -> list[list[str]]:
    """Return the paths of an AirbyteStream's primary key, which may come as a text, a list of texts or of lists."""
    key = stream.get("source_defined_primary_key")
    parts = [key] if isinstance(key, str) and key else items(key)
    paths = [[part] if isinstance(part, str) else items(part) for part in parts]
    if not all(path and all(isinstance(name, str) and name for name in path) for path in paths):
        raise ValueError(f"its primary key is {key!r}, want names or paths of names")
    return [list(path) for path in dict.fromkeys(tuple(str(name) for name in path) for path in paths)]


def _binding(stream: Json, name: str, taken: set[str]) -> DiscoveredBinding:
    key = key_of(stream)
    incremental = "incremental" in items(stream.get("supported_sync_modes"))
    if incremental and not key:
        _logger.warning(
            "stream %s is incremental but has no primary key; its documents are numbered and appended", name
        )
    namespace = stream.get("namespace")
    resource: Json = {"stream": name, "syncMode": "incremental" if incremental else "full_refresh"}
    path = [name]
    if isinstance(namespace, str) and namespace:
        resource["namespace"] = namespace
        path = [namespace, name]
    cursor = _cursor(stream.get("default_cursor_field"))
    if cursor:
        resource["cursorField"] = cursor
    return DiscoveredBinding(
        recommended_name=recommended_name(path, taken),
        resource_config=Raw(document.encode(resource)),
        document_schema=Raw(document.encode(document_schema(stream.get("json_schema", {}), key, name, CDC_DELETED_AT))),
        key=tuple(pointer.join(part) for part in key or [list(ROW_ID_KEY)]),
        resource_path=tuple(path),
        is_fallback_key=not key,
    )


def _cursor(field: object) -> list[str]:
    found = [field] if isinstance(field, str) else items(field)
    return [name for name in found if isinstance(name, str) and name]
