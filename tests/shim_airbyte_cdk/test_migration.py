from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.airbyte_messages import Played, Sync, binding, record, request, rows, state

USERS = {"at": "2024"}
MESSAGE = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": USERS}}


def again(wanted: Any) -> Any:
    """A binding that is backfilled: its state key is another one."""
    return msgspec.structs.replace(wanted, backfill=1, state_key=f"{wanted.state_key}.v1")


FORMS: list[Any] = [
    {"users": USERS},
    {"users": USERS, "estuary.dev/merge": True, "odd": 1},
    [MESSAGE],
    MESSAGE,
    {"type": "LEGACY", "data": {"users": USERS}},
    {**MESSAGE, "data": {"users": USERS}},
    {"type": "GLOBAL", "global": {"shared_state": {}, "stream_states": [MESSAGE["stream"]]}},
]
each_form = pytest.mark.parametrize("stored", FORMS)


@each_form
def test_each_form_is_taken_over_and_never_twice(stored: Any) -> None:
    first = Played(state("users", {"at": "2025"}))
    sync = Sync(first, request(binding("users"), stored=stored))
    again = Played()
    Sync(again, request(binding("users"), stored=sync.stored))

    assert first.states[0]["stream"]["stream_state"] == USERS
    assert sync.stored.keys() == {"bindingStateV1"}
    assert again.states[0]["stream"]["stream_state"] == {"at": "2025"}


@pytest.mark.parametrize("stored", [None, {}, []])
def test_where_it_stored_nothing_all_start_over(stored: Any) -> None:
    source = Played()

    Sync(source, request(binding("users"), stored=stored))

    assert source.states == []


def test_the_state_is_taken_over_in_a_first_patch_that_removes_the_old_one() -> None:
    source = Played(record("users", {"id": 1}), state("users", {"at": "2025"}))

    sync = Sync(source, request(binding("users", namespace="public"), stored={"users": USERS, "gone": {"n": 1}}))

    assert sync.sequence[0] == "checkpoint"
    assert sync.patches[0].keys() == {"users", "gone", "bindingStateV1"}
    assert source.states[0]["stream"]["stream_state"] == USERS
    assert sync.stored.keys() == {"bindingStateV1"}


def test_it_is_taken_over_once() -> None:
    source = Played()

    sync = Sync(source, request(binding("users"), stored={"users": USERS, "bindingStateV1": {}}))

    assert source.states == []
    assert sync.stored["users"] == USERS


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ({"opaque": 1}, "no stream has a state there"),
        ({"gone": USERS, "Users": USERS}, "it has states of Users, gone"),
        ([{"type": "STREAM"}], "no stream has a state there"),
        (
            {"type": "GLOBAL", "global": {"shared_state": {"lsn": 1}, "stream_states": []}},
            "no stream has a state there",
        ),
        ({"bookmarks": {"users": USERS}}, "it has states of bookmarks"),
    ],
)
def test_a_state_of_none_of_the_streams_is_refused_with_the_reason_and_what_to_do(stored: Any, reason: str) -> None:
    refused = Sync(Played(), request(binding("users"), stored=stored))

    assert refused.sequence == []
    assert refused.failure.startswith(
        f"the stored state cannot be continued for users: it is not of these streams: {reason}"
    )
    assert "raise their backfill counters" in refused.failure


def test_such_a_state_goes_where_the_bindings_are_backfilled() -> None:
    opened = request(again(binding("users")), stored={"opaque": 1})
    sync = Sync(Played(), opened)

    assert sync.patches[0] == {"opaque": None, "bindingStateV1": {}}


def test_what_one_stream_alone_continues_is_taken_over_and_the_others_begin() -> None:
    source = Played()

    Sync(source, request(binding("users"), binding("new"), stored={"users": USERS}))

    assert [state["stream"]["stream_descriptor"]["name"] for state in source.states] == ["users"]


@pytest.mark.parametrize("entry", [{"replication_key_value": 3}, {"rowId": 1, "state": {"replication_key_value": 3}}])
def test_an_entry_of_no_airbyte_stream_is_refused(entry: Any) -> None:
    stored = {"bindingStateV1": {"users": entry}}

    refused = Sync(Played(), request(binding("users"), stored=stored))

    assert refused.failure.startswith(
        "the stored state cannot be continued for users: it is of no Airbyte stream. It is "
    )
    assert Sync(Played(), request(again(binding("users")), stored=stored)).failure == ""


@pytest.mark.parametrize("entry", [{}, None, {"rowId": 3}, {"rowId": 3, "state": {}}])
def test_an_entry_that_says_nothing_is_none(entry: Any) -> None:
    assert Sync(Played(), request(binding("users"), stored={"bindingStateV1": {"users": entry}})).failure == ""


def test_an_author_can_refuse_it() -> None:
    source = Played()

    sync = Sync(source, request(binding("users"), stored={"users": USERS}), migrate_state=False)

    assert source.states == []
    assert sync.stored["users"] == USERS


def test_a_full_refresh_has_nothing_to_take_over() -> None:
    sync = Sync(Played(record("events", {"n": 1})), request(rows("events"), stored={"events": USERS}))

    assert sync.of(0) == [{"n": 1, "_meta": {"op": "u", "row_id": 0}}]
    assert sync.stored.keys() == {"bindingStateV1"}


def test_what_is_no_state_at_all_is_an_error() -> None:
    assert (
        Sync(Played(), request(binding("users"), stored="odd")).failure == "the task's state is 'odd', want an object"
    )


def test_a_new_task_has_nothing_to_take_over() -> None:
    assert Sync(Played(), request(binding("users"), stored={})).sequence == ["checkpoint"]
