"""The collection that a stream makes: its name, its key, and the schema of its documents with `_meta` in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from python.protocol import pointer
from python.shim_common import schemas
from python.shim_common.values import Json, mapping

__all__ = ["ROW_ID_KEY", "ROW_ID_POINTER", "document_schema", "needs", "never_null", "recommended_name"]

ROW_ID_KEY = ("_meta", "row_id")
"""The key of a stream without one: the number of the row in its refresh, or since the beginning where it appends."""

ROW_ID_POINTER = pointer.join(ROW_ID_KEY)

_META_DESCRIPTION = "What is known of the document beside its content."
_ROW_ID: Json = {"type": "integer", "description": "The number of the document in its stream."}
_OP: Json = {
    "type": "string",
    "enum": ["c", "u", "d"],
    "description": "Whether the document was created, updated or deleted; u where the source does not say.",
}
_IS_DELETION: Json = {
    "properties": {"_meta": {"properties": {"op": {"const": "d"}}, "required": ["op"]}},
    "required": ["_meta"],
}
_REDUCE_AWAY: Json = {"reduce": {"strategy": "merge", "delete": True}}
# Of a schema's root, what holds for a tombstone as well; the rest, such as `required` and `anyOf`, moves into `else`.
_SHAPE = frozenset(
    {"type", "title", "description", "properties", "patternProperties", "additionalProperties", "$defs", "definitions"}
)
_NOT_IN_NAMES = re.compile(r"[^\w.\-]")


def document_schema(own: object, key: Sequence[Sequence[str]], name: str, deleted_at: str) -> Json:
    """Return the schema of the documents of stream `name`, made of its `own`, which is not changed.

    `key` holds paths of property names; where it is empty, row ids are the key, and tombstones of rows are valid. A
    stream with a key has deletions where it has the property `deleted_at`.
    """
    schema = schemas.repaired(own, name)
    properties = mapping(schema["properties"])
    meta: Json = {
        "type": "object",
        "description": _META_DESCRIPTION,
        "properties": {"op": _OP, "row_id": _ROW_ID},
        "required": ["row_id"],
    }
    others = {name: value for name, value in properties.items() if name != "_meta"}
    schema = {**schema, "properties": {"_meta": meta, **others}}
    if not key:
        schema = _with_tombstones(schema, meta)
    else:
        schema = schemas.keyed(schema, key, name)
        if deleted_at in properties:
            schema = {**schema, "if": _IS_DELETION, "then": _REDUCE_AWAY}
    return schema if properties else {**schema, "x-infer-schema": True}


def _with_tombstones(schema: Json, meta: Json) -> Json:
    """Return `schema` such that `{"_meta": {"op": "d", "row_id": n}}` is valid and removes row `n`."""
    shape = {name: value for name, value in schema.items() if name in _SHAPE}
    rules = {name: value for name, value in schema.items() if name not in _SHAPE}
    tombstone: Json = {
        **shape,
        "properties": {**mapping(schema["properties"]), "_meta": {**meta, "required": ["op", "row_id"]}},
        "required": ["_meta"],
        "if": _IS_DELETION,
        "then": _REDUCE_AWAY,
    }
    return {**tombstone, "else": rules} if rules else tombstone


def needs(schema: Json) -> set[str]:
    """Return the properties that every document of a collection with `schema` must have, tombstones included."""
    required = schema.get("required")
    own = {str(name) for name in required} if isinstance(required, list) else set()
    parts = schema.get("allOf")
    return own.union(*(needs(mapping(part)) for part in parts)) if isinstance(parts, list) else own


def never_null(schema: Json) -> frozenset[str]:
    """Return the properties which `schema` declares, and never as null."""
    types = {name: schemas.types_of(value) for name, value in mapping(schema.get("properties")).items()}
    return frozenset(name for name, kinds in types.items() if kinds and "null" not in kinds)


def recommended_name(path: Iterable[str], taken: Collection[str]) -> str:
    """Return the name to propose for the collection of the stream at `path`, unlike all in `taken`."""
    name = "/".join(_NOT_IN_NAMES.sub("_", part) for part in path)
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate
