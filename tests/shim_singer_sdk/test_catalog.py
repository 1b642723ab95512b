from __future__ import annotations

import json
import logging
from typing import Any

import jsonschema
import pytest

from python.protocol.capture import DiscoveredBinding
from python.shim_singer_sdk.catalog import RESOURCE_CONFIG_SCHEMA, bindings_of, catalog_of, key_of
from python.shim_singer_sdk.records import Target
from tests.singer_messages import ROW_ID, target

USERS: dict[str, Any] = {
    "tap_stream_id": "shop-users",
    "stream": "users",
    "key_properties": ["id"],
    "schema": {
        "type": "object",
        "properties": {
            "id": {"type": ["null", "integer"]},
            "at": {"type": ["null", "string"], "format": "date-time"},
            "blob": {"type": "string"},
            "extra": {"type": "string"},
        },
    },
    "metadata": [
        {"breadcrumb": [], "metadata": {"inclusion": "available", "valid-replication-keys": ["at"]}},
        {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},
        {"breadcrumb": ["properties", "at"], "metadata": {"inclusion": "available"}},
        {"breadcrumb": ["properties", "blob"], "metadata": {"inclusion": "unsupported"}},
        {"breadcrumb": ["properties", "extra"], "metadata": {"inclusion": "available", "selected": False}},
    ],
    "is_view": None,
}


def discovered(*entries: dict[str, Any]) -> list[DiscoveredBinding]:
    return list(bindings_of(entries))


def resource(binding: DiscoveredBinding) -> Any:
    return json.loads(bytes(binding.resource_config))


def document_schema(binding: DiscoveredBinding) -> Any:
    return json.loads(bytes(binding.document_schema))


def configured(target: Target) -> Any:
    catalog: Any = catalog_of([target])
    (entry,) = catalog["streams"]
    return entry


def with_metadata(**root: Any) -> dict[str, Any]:
    return {"tap_stream_id": "a", "schema": {}, "metadata": [{"breadcrumb": [], "metadata": root}]}


def test_a_resource_config_is_the_catalog_entry_without_its_schema() -> None:
    (binding,) = discovered(USERS)

    found = resource(binding)
    jsonschema.validate(found, RESOURCE_CONFIG_SCHEMA)
    assert "schema" not in found
    assert "is_view" not in found
    assert found["tap_stream_id"] == "shop-users"
    assert found["stream"] == binding.recommended_name == "users"
    assert (found["replication_method"], found["replication_key"]) == ("INCREMENTAL", "at")
    assert binding.resource_path == ("shop-users",)


def test_what_is_available_is_selected_and_the_rest_is_not_captured() -> None:
    (binding,) = discovered(USERS)

    chosen = {tuple(each["breadcrumb"]): each["metadata"].get("selected") for each in resource(binding)["metadata"]}
    assert chosen[()] is True
    assert chosen["properties", "at"] is True
    assert chosen["properties", "blob"] is None
    assert chosen["properties", "extra"] is False
    assert set(document_schema(binding)["properties"]) == {"_meta", "id", "at"}


def test_key_fields_are_required_of_one_type_and_not_null() -> None:
    (binding,) = discovered(USERS)

    schema = document_schema(binding)
    assert binding.key == ("/id",)
    assert not binding.is_fallback_key
    assert schema["required"] == ["id"]
    assert schema["properties"]["id"]["type"] == "integer"


@pytest.mark.parametrize(
    ("key", "pointers"),
    [
        (["a/b", "c~d"], ["/a~1b", "/c~0d"]),
        (["/a/b", "c"], ["/a/b", "/c"]),
        (["c", "c"], ["/c"]),
    ],
)
def test_keys_are_names_or_pointers(key: list[str], pointers: list[str]) -> None:
    (binding,) = discovered({"tap_stream_id": "a", "key_properties": key, "schema": {"type": "object"}})

    assert list(binding.key) == pointers


@pytest.mark.parametrize("name", ["table-key-properties", "view-key-properties"])
def test_the_metadata_may_hold_the_key(name: str) -> None:
    assert key_of(with_metadata(**{name: ["id"]})) == [["id"]]


def test_a_stream_without_a_key_is_keyed_by_its_rows_and_takes_tombstones() -> None:
    (binding,) = discovered({"tap_stream_id": "a", "schema": {"properties": {"x": {}}, "required": ["x"]}})

    assert (binding.key, binding.is_fallback_key) == ((ROW_ID,), True)
    jsonschema.validate({"_meta": {"op": "d", "row_id": 3}}, document_schema(binding))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"_meta": {"op": "u", "row_id": 3}}, document_schema(binding))


@pytest.mark.parametrize(
    ("root", "method"),
    [
        ({}, "FULL_TABLE"),
        ({"valid-replication-keys": ["at"]}, "INCREMENTAL"),
        ({"valid-replication-keys": ["at"], "forced-replication-method": "FULL_TABLE"}, "FULL_TABLE"),
        ({"forced-replication-method": "LOG_BASED"}, "LOG_BASED"),
        ({"replication-method": "INCREMENTAL", "replication-key": "at"}, "INCREMENTAL"),
    ],
)
def test_the_replication_method_is_the_forced_one_or_what_the_keys_allow(root: dict[str, Any], method: str) -> None:
    (binding,) = discovered(with_metadata(**root))

    assert resource(binding)["replication_method"] == method


def test_one_bad_stream_does_not_fail_the_others(caplog: pytest.LogCaptureFixture) -> None:
    bad: list[dict[str, Any]] = [
        {"schema": {}},
        {"tap_stream_id": "b", "key_properties": [7]},
        {"tap_stream_id": "c", "metadata": [{"breadcrumb": [], "metadata": {"inclusion": "unsupported"}}]},
    ]

    with caplog.at_level(logging.WARNING):
        found = discovered(*bad, {"tap_stream_id": "a", "schema": {}})

    assert [binding.resource_path for binding in found] == [("a",)]
    assert len(caplog.messages) == 3


def test_names_that_come_twice_get_a_number() -> None:
    found = discovered({"tap_stream_id": "a-t", "stream": "t"}, {"tap_stream_id": "b-t", "stream": "t"})

    assert [binding.recommended_name for binding in found] == ["t", "t_2"]


def test_recursive_references_and_bounds_of_draft_4_are_made_fit() -> None:
    schema = {
        "type": "object",
        "properties": {
            "price": {"type": "number", "maximum": 10, "exclusiveMaximum": True, "multipleOf": 1e-06},
            "tree": {"$ref": "#/definitions/node"},
        },
        "definitions": {"node": {"type": ["null", "array"], "items": {"$ref": "#/definitions/node"}}},
    }

    (binding,) = discovered({"tap_stream_id": "a", "schema": schema, "key_properties": ["id"]})

    found = document_schema(binding)
    assert found["properties"]["price"] == {"type": "number", "exclusiveMaximum": 10}
    jsonschema.Draft202012Validator(found).validate({"_meta": {"row_id": 0}, "id": "1", "tree": [[], [[]]]})


def test_the_catalog_of_a_sync_says_what_the_task_says() -> None:
    schema = {
        "type": "object",
        "properties": {"_meta": {}, "id": {"type": "integer"}},
        "required": ["id"],
        "if": {},
        "x-infer-schema": True,
    }
    metadata = [
        {"breadcrumb": [], "metadata": {"inclusion": "available", "selected": False}},
        {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},
    ]

    entry = configured(target("shop-users", stream="users", schema=schema, metadata=metadata))

    assert (entry["tap_stream_id"], entry["stream"], entry["selected"]) == ("shop-users", "users", True)
    assert entry["schema"] == {"type": "object", "properties": {"id": {"type": "integer"}}}
    assert entry["metadata"][0]["metadata"] == {
        "inclusion": "available",
        "selected": True,
        "replication-method": "INCREMENTAL",
        "replication-key": "n",
    }
    assert entry["metadata"][1] == metadata[1]


def test_a_selected_field_that_the_collection_does_not_declare_is_read() -> None:
    metadata = [
        {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},
        {"breadcrumb": ["properties", "at"], "metadata": {"inclusion": "available", "selected": True}},
        {"breadcrumb": ["properties", "no"], "metadata": {"inclusion": "available", "selected": False}},
        {"breadcrumb": ["properties", "at", "properties", "x"], "metadata": {"selected": True}},
    ]
    edited = {"type": "object", "properties": {"id": {"type": "integer"}}}

    entry = configured(target("a", schema=edited, metadata=metadata))

    assert list(entry["schema"]["properties"]) == ["id", "at"]
    assert entry["schema"]["properties"]["id"] == {"type": "integer"}
    assert "string" in entry["schema"]["properties"]["at"]["type"]


def test_taps_from_before_there_was_metadata_find_the_selection_in_the_schema() -> None:
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}}

    entry = configured(target("a", schema=schema))

    assert entry["schema"]["selected"] is True
    assert entry["schema"]["properties"]["id"]["selected"] is True


def test_of_two_streams_with_one_id_the_first_is_captured(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = discovered(USERS, {**USERS, "stream": "others"})

    assert [(each.recommended_name, each.resource_path) for each in found] == [("users", ("shop-users",))]
    assert caplog.messages == ["the tap has two streams with the tap_stream_id shop-users; the second one is left out"]
