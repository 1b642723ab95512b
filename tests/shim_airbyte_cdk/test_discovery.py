from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from python.protocol.capture import DiscoveredBinding
from python.shim_airbyte_cdk.discovery import RESOURCE_CONFIG_SCHEMA, bindings_of, key_of


def stream(name: str = "users", **members: Any) -> dict[str, Any]:
    return {
        "name": name,
        "json_schema": {"type": "object", "properties": {}},
        "supported_sync_modes": ["full_refresh"],
        **members,
    }


def one(**members: Any) -> DiscoveredBinding:
    (found,) = bindings_of([stream(**members)])
    return found


def resource(found: DiscoveredBinding) -> Any:
    return json.loads(bytes(found.resource_config))


def schema(found: DiscoveredBinding) -> Any:
    return json.loads(bytes(found.document_schema))


@pytest.mark.parametrize(
    ("key", "want"),
    [
        ("id", ("/id",)),
        (["id"], ("/id",)),
        ([["id"]], ("/id",)),
        (["order", "line"], ("/order", "/line")),
        ([["order", "id"], ["line"]], ("/order/id", "/line")),
        ([["a/b"], ["c~d"]], ("/a~1b", "/c~0d")),
        (["id", "id"], ("/id",)),
    ],
)
def test_a_primary_key_comes_in_three_shapes(key: Any, want: tuple[str, ...]) -> None:
    found = one(source_defined_primary_key=key)

    assert found.key == want
    assert not found.is_fallback_key


@pytest.mark.parametrize("key", [None, [], ""])
def test_a_stream_without_a_key_gets_its_row_id(key: Any) -> None:
    found = one(source_defined_primary_key=key)

    assert found.key == ("/_meta/row_id",)
    assert found.is_fallback_key


def test_an_incremental_stream_without_a_key_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    found = one(supported_sync_modes=["full_refresh", "incremental"])

    assert found.key == ("/_meta/row_id",)
    assert resource(found)["syncMode"] == "incremental"
    assert "stream users is incremental but has no primary key" in caplog.text


def test_one_bad_stream_does_not_break_the_others(caplog: pytest.LogCaptureFixture) -> None:
    streams = [
        stream("a"),
        stream("bad", source_defined_primary_key=[[]]),
        {"json_schema": {}},
        stream("b", json_schema="odd"),
    ]

    assert [found.recommended_name for found in bindings_of(streams)] == ["a", "b"]
    assert "stream bad cannot be captured, it is left out: its primary key is [[]]" in caplog.text
    assert "a stream without a name" in caplog.text


def test_a_namespace_is_part_of_path_and_name_and_never_null() -> None:
    assert one(namespace="public").resource_path == ("public", "users")
    assert one(namespace="public").recommended_name == "public/users"
    assert resource(one(namespace="public")) == {"stream": "users", "syncMode": "full_refresh", "namespace": "public"}
    for none in (None, ""):
        assert one(namespace=none).resource_path == ("users",)
        assert "namespace" not in resource(one(namespace=none))


@pytest.mark.parametrize("field", ["updated_at", ["updated_at"]])
def test_a_cursor_is_not_wrapped_twice(field: Any) -> None:
    assert resource(one(default_cursor_field=field))["cursorField"] == ["updated_at"]


def test_no_cursor_is_no_member() -> None:
    assert resource(one(default_cursor_field=[])) == {"stream": "users", "syncMode": "full_refresh"}


def test_a_resource_config_fits_its_schema() -> None:
    jsonschema.validate(resource(one(namespace="public", default_cursor_field=["a"])), RESOURCE_CONFIG_SCHEMA)


def test_names_are_sanitized_and_unique() -> None:
    found = bindings_of([stream("my users!"), stream("my users?"), stream("ns/x")])

    assert [binding.recommended_name for binding in found] == ["my_users_", "my_users__2", "ns_x"]


def test_a_stream_of_which_nothing_is_known_asks_for_inference() -> None:
    assert schema(one())["x-infer-schema"] is True
    assert "x-infer-schema" not in schema(one(json_schema={"properties": {"a": {"type": "string"}}}))


def test_the_row_id_is_in_every_schema() -> None:
    keyed = schema(one(source_defined_primary_key="id", json_schema={"properties": {"id": {"type": "string"}}}))

    assert keyed["properties"]["_meta"]["required"] == ["row_id"]
    assert keyed["properties"]["_meta"]["properties"]["row_id"]["type"] == "integer"
    assert keyed["required"] == ["id"]
    assert "if" not in keyed


def test_a_keyless_schema_takes_tombstones_and_reduces_them_away() -> None:
    found = schema(one(json_schema={"properties": {"a": {"type": "string"}}, "required": ["a"], "minProperties": 2}))

    assert found["then"] == {"reduce": {"strategy": "merge", "delete": True}}
    jsonschema.validate({"_meta": {"op": "d", "row_id": 7}}, found)
    jsonschema.validate({"_meta": {"op": "u", "row_id": 7}, "a": "x"}, found)
    for wrong in ({"a": "x"}, {"_meta": {"op": "u", "row_id": 7}}, {"_meta": {"row_id": 7}, "a": "x"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, found)


def test_a_stream_of_changes_reduces_deletions_away() -> None:
    properties = {"id": {"type": "integer"}, "_ab_cdc_deleted_at": {"type": "string"}}
    found = schema(one(source_defined_primary_key="id", json_schema={"properties": properties}))

    assert found["then"] == {"reduce": {"strategy": "merge", "delete": True}}


def test_a_source_s_own_meta_does_not_hide_ours() -> None:
    found = schema(one(json_schema={"properties": {"_meta": {"type": "string"}, "a": {"type": "string"}}}))

    assert found["properties"]["_meta"]["type"] == "object"


def test_a_key_of_something_else_is_an_error() -> None:
    with pytest.raises(ValueError, match="want names or paths of names"):
        key_of({"source_defined_primary_key": [[1]]})


def test_a_second_stream_of_the_same_name_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    found = list(bindings_of([{"name": "u", "json_schema": {}}, {"name": "u", "json_schema": {}}]))

    assert [each.resource_path for each in found] == [("u",)]
    assert "two streams named u" in caplog.text
