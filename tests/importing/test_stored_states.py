from __future__ import annotations

from typing import Any

import pytest

from python.importing.stored_states import Bound, bound, inner, stored_in

USERS = Bound(name="public/users", collection="acmeCo/users", state_key="public%2Fusers", streams=("users",))
CURSOR = {"updated_at": "2024"}
STREAM = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": CURSOR}}


@pytest.mark.parametrize(
    ("state", "form"),
    [
        ({"users": CURSOR}, "airbyte-to-flow's"),
        ([STREAM], "airbyte-to-flow's"),
        ({"type": "LEGACY", "data": {"users": CURSOR}}, "airbyte-to-flow's"),
        ({"bookmarks": {"users": CURSOR}, "currently_syncing": None}, "a tap's own"),
        ({"bindingStateV1": {"public%2Fusers": {"rowId": 3, "state": STREAM}}}, "a shim's, by state key"),
        ({"bindingStateV1": {"public%2Fusers": {"rowId": 3, "state": CURSOR}}}, "a shim's, by state key"),
        ({"bindingStateV1": {"public%2Fusers": {**CURSOR, "estuary.dev/rowCounter": 3}}}, "a shim's, by state key"),
        (
            {
                "bindingStateV1": {
                    "public%2Fusers": {"rowId": 3, "state": {"type": "LEGACY", "data": {"users": CURSOR}}}
                }
            },
            "a shim's, by state key",
        ),
        ({"bindingStateV1": {"public%2Fusers": CURSOR}}, "by state key"),
    ],
)
def test_what_a_source_said_is_found_in_each_form(state: Any, form: str) -> None:
    stored = stored_in(state, [USERS])

    assert (stored.form, stored.unclaimed) == (form, ())
    assert inner(stored.parts[USERS.state_key], "users") == CURSOR


@pytest.mark.parametrize(
    ("state", "form"), [({}, "empty"), ([], "empty"), ({"n": 1}, "of no known form"), ([{"n": 1}], "of no known form")]
)
def test_what_has_nothing_of_a_binding_says_so(state: Any, form: str) -> None:
    assert (stored_in(state, [USERS]).form, stored_in(state, [USERS]).parts) == (form, {})


def test_what_no_binding_claims_is_named() -> None:
    entries = {"gone": CURSOR, "public%2Fusers": CURSOR, "public%2Fusers.v1": CURSOR, "empty": {}}

    assert stored_in({"bindingStateV1": entries}, [USERS]).unclaimed == ("gone",)
    assert stored_in({"users": CURSOR, "gone": CURSOR}, [USERS]).unclaimed == ("gone",)


@pytest.mark.parametrize(
    ("resource", "refreshed", "field"),
    [
        ({"stream": "a", "syncMode": "incremental", "cursorField": ["at"]}, False, "at"),
        ({"stream": "a", "syncMode": "incremental", "cursorField": ["b", "at"]}, False, None),
        ({"stream": "a", "syncMode": "full_refresh"}, True, None),
        ({"tap_stream_id": "a", "replication_method": "INCREMENTAL", "replication_key": "at"}, False, "at"),
        ({"tap_stream_id": "a", "replication_method": "FULL_TABLE"}, True, None),
        ({"name": "a"}, False, None),
        (None, False, None),
    ],
)
def test_a_resource_tells_what_is_read_whole_and_what_the_cursor_is(resource: Any, refreshed: Any, field: Any) -> None:
    found = bound(resource, ["a"], "acmeCo/a", 2)

    assert (found.refreshed, found.cursor_field, found.state_key) == (refreshed, field, "a.v2")
    assert found.streams == ("a",)
