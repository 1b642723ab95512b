from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from python.protocol.wire import ABSENT
from python.runner.build import collection_spec, require_targets
from python.runner.catalog import CaptureBinding, CaptureTask, Catalog, Collection, ExplicitProjection, LocalEndpoint
from python.runner.problems import CatalogError, Where

HERE = Where(Path("a.flow.yaml"), 3)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"$ref": "#/$defs/id"}, "region": {"type": "string"}, "city": {"type": "string"}},
    "$defs": {"id": {"type": "integer"}},
}


def collection(**changes: Any) -> Collection:
    members = {"name": "a/b", "key": ("/id",), "write_schema": SCHEMA, "where": HERE}
    return Collection(**{**members, **changes})


def task(*bindings: tuple[str, bool]) -> tuple[CaptureTask, Catalog]:
    listed = tuple(
        CaptureBinding(resource={}, target=target, disable=disable, where=Where(Path("a.flow.yaml"), line))
        for line, (target, disable) in enumerate(bindings, start=10)
    )
    endpoint = LocalEndpoint(command=("x",), config={}, config_where=HERE, where=HERE)
    capture = CaptureTask(name="a/x", endpoint=endpoint, bindings=listed, where=HERE)
    collections = {"a/b": collection()}
    return capture, Catalog(
        source=HERE.file, captures={"a/x": capture}, collections=collections, materializations={}, tests={}
    )


def test_a_collection_is_built_whole() -> None:
    partitions = tuple(
        ExplicitProjection(field=name, ptr=f"/{name}", partition=True, where=HERE) for name in ("region", "city")
    )

    built = collection_spec(collection(projections=partitions))

    assert built.name == "a/b"
    assert msgspec.json.decode(built.write_schema) == SCHEMA
    assert built.read_schema == ABSENT
    assert (built.key, built.uuid_ptr, built.partition_fields) == (("/id",), "/_meta/uuid", ("city", "region"))
    assert {projection.field for projection in built.projections} > {"id", "region", "city", "flow_document"}


def test_a_read_schema_brings_the_schemas_of_flow_that_it_refers_to() -> None:
    read = {"type": "object", "allOf": [{"$ref": "flow://relaxed-write-schema"}, {"$ref": "flow://inferred-schema"}]}

    built = collection_spec(collection(read_schema=read))

    validator = jsonschema_rs.validator_for(msgspec.json.decode(built.read_schema))
    assert set(msgspec.json.decode(built.read_schema)["$defs"]) == {
        "flow://relaxed-write-schema",
        "flow://inferred-schema",
    }
    assert not validator.is_valid({"id": 1})
    assert not validator.is_valid({"id": "x", "_meta": {"inferredSchemaIsNotAvailable": True}})
    assert validator.is_valid({"id": 1, "_meta": {"inferredSchemaIsNotAvailable": True}})


def test_a_read_schema_of_its_own_is_sent_as_it_is() -> None:
    read = {"type": "object", "properties": {"id": {"type": "integer"}}}

    assert msgspec.json.decode(collection_spec(collection(read_schema=read)).read_schema) == read


def test_a_definition_of_the_users_own_is_kept_beside_flows() -> None:
    read = {"type": "object", "$ref": "flow://write-schema", "$defs": {"mine": True}}

    built = collection_spec(collection(read_schema=read))

    assert set(msgspec.json.decode(built.read_schema)["$defs"]) == {"mine", "flow://write-schema"}


def test_what_is_wrong_with_key_and_projections_is_told_together() -> None:
    wrong = ExplicitProjection(field="x", ptr="/nowhere", where=HERE)

    with pytest.raises(CatalogError) as caught:
        collection_spec(collection(key=("/gone",), projections=(wrong,)))

    assert len(caught.value.problems) == 2


def test_a_broken_reference_is_told_with_the_collection() -> None:
    with pytest.raises(CatalogError, match=r"a\.flow\.yaml:3: collection a/b: schema .*/properties/id names nothing"):
        collection_spec(collection(write_schema={"type": "object", "properties": {"id": {"$ref": "#/nope"}}}))


def test_bindings_with_collections_may_be_captured() -> None:
    require_targets(*task(("a/b", False), ("a/gone", True)))


def test_enabled_bindings_without_a_collection_are_all_named() -> None:
    with pytest.raises(CatalogError) as caught:
        require_targets(*task(("a/bb", False), ("zebra", False), ("a/b", False)))

    assert str(caught.value).splitlines() == [
        "a.flow.yaml:10: captures into a/bb, which no file defines; did you mean 'a/b'?",
        "a.flow.yaml:11: captures into zebra, which no file defines; define it, import its file, or disable it",
    ]
