"""A Singer catalog as Flow's discovered bindings, and a task's bindings as the catalog of a sync.

A catalog's entries come and go as plain JSON, so that taps in this process and taps in a child process share this.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Raw

from python.protocol import document, pointer
from python.protocol.capture import DiscoveredBinding
from python.shim_common.collection import ROW_ID_KEY, document_schema, recommended_name
from python.shim_common.values import Json, items, mapping
from python.shim_singer_sdk.records import DELETED_AT, METHODS, Target

__all__ = ["RESOURCE_CONFIG_SCHEMA", "RESOURCE_PATH_POINTERS", "bindings_of", "catalog_of", "entry_of", "key_of"]

_logger = logging.getLogger(__name__)

RESOURCE_PATH_POINTERS = ("/tap_stream_id",)

RESOURCE_CONFIG_SCHEMA: Json = {
    "title": "ResourceConfig",
    "type": "object",
    "properties": {
        "tap_stream_id": {"type": "string", "title": "Stream ID", "description": "The tap's own name of the stream."},
        "stream": {"type": "string", "title": "Stream", "description": "The name of the stream, which may come twice."},
        "replication_method": {
            "type": "string",
            "title": "Replication Method",
            "description": "Whether each run reads the stream from its beginning, what is new, or the database's log.",
            "enum": [*METHODS],
        },
        "replication_key": {
            "type": "string",
            "title": "Replication Key",
            "description": "The property by which an incremental run knows what is new.",
        },
    },
    "required": ["tap_stream_id", "replication_method"],
}

_ANYTHING: Json = {"type": ["null", "boolean", "object", "array", "number", "integer", "string"]}
_NOT_OF_A_SOURCE = frozenset({"required", "if", "then", "else", "x-infer-schema"})


def bindings_of(entries: Iterable[Json]) -> Iterator[DiscoveredBinding]:
    """Yield a binding for each entry of a catalog, in the same order; what cannot be one is left out, and warned of.

    All fields that are available are selected. Names are unique: a second stream of the same name gets a number; of two
    with the same tap_stream_id, the first one counts.
    """
    names: set[str] = set()
    ids: set[str] = set()
    for entry in entries:
        name = entry.get("tap_stream_id") or entry.get("stream")
        if not isinstance(name, str) or not name:
            _logger.warning("the tap's catalog has a stream without a name; it is left out")
            continue
        if name in ids:
            _logger.warning("the tap has two streams with the tap_stream_id %s; the second one is left out", name)
            continue
        if _metadata_at(entry, []).get("inclusion") == "unsupported":
            _logger.warning("stream %s is not supported by the tap; it is left out", name)
            continue
        try:
            binding = _binding(entry, name, names)
        except (TypeError, ValueError, RecursionError) as error:
            _logger.warning("stream %s cannot be captured, it is left out: %s", name, error)
            continue
        names.add(binding.recommended_name)
        ids.add(name)
        yield binding


def key_of(entry: Json) -> list[list[str]]:
    """Return the paths of an entry's key: `key_properties`, else what the metadata says of its table or view.

    A key is a name, or a JSON pointer, which starts with a slash.
    """
    root = _metadata_at(entry, [])
    given = entry.get("key_properties") or root.get("table-key-properties") or root.get("view-key-properties")
    names = items(given)
    if given and not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"its key is {given!r}, want names of properties")
    paths = [pointer.parse(name) if name.startswith("/") else (name,) for name in map(str, names)]
    return [list(path) for path in dict.fromkeys(paths)]


def catalog_of(targets: Iterable[Target]) -> Json:
    """Return the catalog that reads `targets`, and nothing else.

    Each entry says what the task's resource config says, with the collection's schema. Fields that are selected but
    missing there, since a schema may be edited, are of any type: taps read no others.
    """
    return {"streams": [entry_of(target.resource, target.schema) for target in targets]}


def entry_of(resource: Json, schema: Json) -> Json:
    """Return the selected catalog entry of a resource config, with a collection's `schema` in the tap's own terms."""
    own = _own_schema(schema, _chosen_fields(resource))
    method, key = resource.get("replication_method"), resource.get("replication_key")
    entry: Json = {**resource, "stream": resource.get("stream") or resource.get("tap_stream_id"), "selected": True}
    chosen: Json = {"selected": True, "replication-method": method}
    if key:
        chosen["replication-key"] = key
    if not items(resource.get("metadata")):  # taps from before there was metadata look into the schema
        own = _selected_within(own)
    others = [each for each in items(resource.get("metadata")) if mapping(each).get("breadcrumb")]
    root: Json = {"breadcrumb": [], "metadata": {**_metadata_at(resource, []), **chosen}}
    return {**entry, "schema": own, "metadata": [root, *others]}


def _binding(entry: Json, name: str, taken: set[str]) -> DiscoveredBinding:
    key = key_of(entry)
    return DiscoveredBinding(
        recommended_name=recommended_name([str(entry.get("stream") or name)], taken),
        resource_config=Raw(document.encode(_resource(entry, name))),
        document_schema=Raw(document.encode(document_schema(_captured_schema(entry), key, name, DELETED_AT))),
        key=tuple(pointer.join(part) for part in key or [list(ROW_ID_KEY)]),
        resource_path=(name,),
        is_fallback_key=not key,
    )


def _resource(entry: Json, name: str) -> Json:
    root = _metadata_at(entry, [])
    kept = {member: value for member, value in entry.items() if member != "schema" and value is not None}
    resource: Json = {**kept, "tap_stream_id": name, "stream": entry.get("stream") or name}
    valid = items(root.get("valid-replication-keys"))
    key = entry.get("replication_key") or root.get("replication-key") or (valid[0] if valid else None)
    forced = entry.get("replication_method") or root.get("forced-replication-method")
    method = forced or root.get("replication-method") or ("INCREMENTAL" if key else "FULL_TABLE")
    resource["replication_method"] = str(method) if method in METHODS else "FULL_TABLE"
    resource.pop("replication_key", None)
    if key and method != "FULL_TABLE":
        resource["replication_key"] = key
    if items(entry.get("metadata")):
        resource["metadata"] = [_selected(mapping(each)) for each in items(entry["metadata"])]
    return resource


def _selected(metadata: Json) -> Json:
    """Return an item of metadata, selected where it is the stream, or a field that may be and is not ruled out."""
    own = mapping(metadata.get("metadata"))
    available = not metadata.get("breadcrumb") or own.get("inclusion") == "available"
    if not available or (metadata.get("breadcrumb") and _ruled_out(own)):
        return metadata
    return {**metadata, "metadata": {**own, "selected": True}}


def _ruled_out(metadata: Json) -> bool:
    """Whether the tap leaves a field out, unless it is told otherwise."""
    if metadata.get("inclusion") == "unsupported":
        return True
    chosen = metadata.get("selected")
    return metadata.get("inclusion") != "automatic" and (
        chosen is False or (chosen is None and metadata.get("selected-by-default") is False)
    )


def _captured_schema(entry: Json) -> Json:
    """Return the entry's schema without the top-level fields that the tap leaves out."""
    schema = mapping(entry.get("schema"))
    gone = {
        str(breadcrumb[1])
        for each in items(entry.get("metadata"))
        if _is_field(breadcrumb := items(mapping(each).get("breadcrumb")))
        and _ruled_out(mapping(mapping(each).get("metadata")))
    }
    kept = {name: value for name, value in mapping(schema.get("properties")).items() if name not in gone}
    return {**schema, "properties": kept} if gone else schema


def _is_field(breadcrumb: Sequence[object]) -> bool:
    return len(breadcrumb) == 2 and breadcrumb[0] == "properties"  # noqa: PLR2004 -- a field of the stream itself


def _metadata_at(entry: Json, breadcrumb: list[object]) -> Json:
    found = (mapping(each) for each in items(entry.get("metadata")))
    return next((mapping(each.get("metadata")) for each in found if items(each.get("breadcrumb")) == breadcrumb), {})


def _chosen_fields(resource: Json) -> Iterator[str]:
    """Yield the names of the stream's fields that the metadata names, and does not rule out."""
    for each in items(resource.get("metadata")):
        breadcrumb = items(mapping(each).get("breadcrumb"))
        if _is_field(breadcrumb) and not _ruled_out(mapping(mapping(each).get("metadata"))):
            yield str(breadcrumb[1])


def _own_schema(schema: Json, fields: Iterable[str]) -> Json:
    """Return a collection's schema without what is Flow's in it, and with all `fields`."""
    declared = mapping(schema.get("properties"))
    properties = {name: value for name, value in declared.items() if name != "_meta"}
    missing: Json = {name: _ANYTHING for name in fields if name not in declared}
    kept = {name: value for name, value in schema.items() if name not in _NOT_OF_A_SOURCE}
    return {**kept, "type": "object", "properties": {**properties, **missing}}


def _selected_within(schema: Json) -> Json:
    properties = {name: {**mapping(value), "selected": True} for name, value in mapping(schema["properties"]).items()}
    return {**schema, "selected": True, "properties": properties}
