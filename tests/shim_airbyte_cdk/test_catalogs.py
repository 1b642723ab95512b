from __future__ import annotations

from typing import Any

from tests.airbyte_messages import Played, Sync, binding, request, rows


def configured(*bindings: Any) -> list[Any]:
    source = Played()
    Sync(source, request(*bindings))
    streams: list[Any] = source.catalog["streams"]
    return streams


def test_the_catalog_is_made_of_the_task_s_spec() -> None:
    schema = {"type": "object", "properties": {"_meta": {}, "id": {"type": "integer"}}, "required": ["id"], "if": {}}

    assert configured(binding("users", key=["/a~1b/id"], namespace="public", cursor=["at"], schema=schema)) == [
        {
            "stream": {
                "name": "users",
                "namespace": "public",
                "json_schema": {"type": "object", "properties": {"id": {"type": "integer"}}},
                "supported_sync_modes": ["full_refresh", "incremental"],
                "source_defined_primary_key": [["a/b", "id"]],
                "default_cursor_field": ["at"],
            },
            "sync_mode": "incremental",
            "destination_sync_mode": "append",
            "cursor_field": ["at"],
            "primary_key": [["a/b", "id"]],
        }
    ]


def test_a_row_id_is_no_primary_key() -> None:
    (stream,) = configured(rows("events"))

    assert "primary_key" not in stream
    assert stream["sync_mode"] == "full_refresh"


def test_a_cursor_may_be_stored_as_a_text() -> None:
    (stream,) = configured(binding("users", cursor="at"))

    assert stream["cursor_field"] == ["at"]
