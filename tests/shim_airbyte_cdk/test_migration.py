from __future__ import annotations

from typing import Any

import pytest

from python.shim_airbyte_cdk.migration import streams_of
from tests.airbyte_messages import Played, Sync, binding, record, request, rows, state

USERS = {"at": "2024"}
MESSAGE = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": USERS}}


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


@each_form
def test_each_form_that_airbyte_to_flow_stored_is_understood(stored: Any) -> None:
    assert streams_of(stored) == {"users": USERS}


@pytest.mark.parametrize("stored", [{}, [], None, "odd", {"type": "STREAM"}, {"type": "LEGACY", "data": []}])
def test_what_is_none_of_them_gives_nothing(stored: Any) -> None:
    assert streams_of(stored) == {}


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


def test_where_no_stream_matches_the_old_state_goes_and_all_start_over(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        sync = Sync(Played(), request(binding("users"), stored={"opaque": 1}))

    assert sync.patches[0] == {"opaque": None, "bindingStateV1": {}}
    assert "no stream: all start over" in caplog.text


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
