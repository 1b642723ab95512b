"""Builds what tasks are sent of their collections, and checks that it can be sent (Flow protocol, 2.3, 9.8, 11.3)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from msgspec import Raw

from python.protocol import document
from python.protocol.flow import CollectionSpec
from python.protocol.wire import ABSENT
from python.runner.catalog import CaptureTask, Catalog, Collection
from python.runner.collector import Collector
from python.runner.inference import infer
from python.runner.problems import CatalogError, Problem, suggestion
from python.runner.projections import UUID_PTR, problems, projections
from python.runner.schemas import Schema, SchemaError

__all__ = ["collection_spec", "collector_of", "require_targets"]

_WRITE = "flow://write-schema"
_RELAXED = "flow://relaxed-write-schema"
_INFERRED = "flow://inferred-schema"
_NOT_INFERRED: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "_meta": {
            "type": "object",
            "properties": {
                "inferredSchemaIsNotAvailable": {"const": True, "description": "No schema is inferred yet."}
            },
            "required": ["inferredSchemaIsNotAvailable"],
        }
    },
    "required": ["_meta"],
}
"""What stands for the inferred schema until there is one: no document is valid by it. The runner infers none.

A task that reads a collection could then do nothing, so it is told that anything is valid (decision 0056)."""


def collection_spec(collection: Collection, *, reading: bool = False) -> CollectionSpec:
    """Return `collection` as a task is sent it: bundled schemas, key, projections sorted by field.

    With `reading` it is the collection of a task that reads it: then anything is valid by the inferred schema.
    Raises CatalogError, with all that is wrong with the key, the projections, or references of the schemas.
    """
    whole = _with_flow_schemas(collection, {} if reading else _NOT_INFERRED)
    try:
        write = infer(collection.write_schema)
        read = write if whole is None else infer(whole)
    except SchemaError as error:
        raise CatalogError.at(collection.where, f"collection {collection.name}: {error}") from None
    wrong = list(problems(collection, read, write))
    if wrong:
        raise CatalogError(wrong)
    built = projections(collection, read)
    return CollectionSpec(
        name=collection.name,
        write_schema=Raw(document.encode(collection.write_schema)),
        read_schema=ABSENT if whole is None else Raw(document.encode(whole)),
        key=collection.key,
        uuid_ptr=UUID_PTR,
        partition_fields=tuple(projection.field for projection in built if projection.is_partition_key),
        projections=built,
    )


def collector_of(collection: Collection) -> Collector:
    """Return what checks and reduces documents of `collection`. Raises CatalogError where its schema is malformed."""
    try:
        return Collector(collection_spec(collection))
    except SchemaError as error:
        raise CatalogError.at(collection.where, f"collection {collection.name}: {error}") from None


def require_targets(task: CaptureTask, catalog: Catalog) -> None:
    """Every enabled binding of `task` has a collection in `catalog`. Raises CatalogError with all that have none."""
    missing = list(_missing(task, catalog))
    if missing:
        raise CatalogError(missing)


def _missing(task: CaptureTask, catalog: Catalog) -> Iterator[Problem]:
    for binding in task.bindings:
        if not binding.disable and binding.target not in catalog.collections:
            hint = suggestion(binding.target, catalog.collections) or "; define it, import its file, or disable it"
            yield Problem(binding.where, f"captures into {binding.target}, which no file defines{hint}")


def _with_flow_schemas(collection: Collection, inferred: Mapping[str, object]) -> Schema | None:
    """Return the read schema with the schemas of Flow that it refers to, or None where one schema serves for both."""
    read, write = collection.read_schema, collection.write_schema
    if not isinstance(read, Mapping):
        return read
    text = json.dumps(read, default=str)
    known = {_WRITE: write, _RELAXED: write, _INFERRED: inferred}  # relaxed only once a schema is inferred
    added = {
        url: {**schema, "$id": url} if isinstance(schema, Mapping) else {"allOf": [schema], "$id": url}
        for url, schema in known.items()
        if f'"{url}"' in text
    }
    own = read.get("$defs")
    return {**read, "$defs": {**added, **(own if isinstance(own, Mapping) else {})}} if added else read
