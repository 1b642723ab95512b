from __future__ import annotations

from typing import Any

import pytest

from python.protocol.flow import RangeSpec
from python.protocol.state_key import key_hash
from tests.airbyte_messages import (
    Played,
    Sync,
    binding,
    global_state,
    legacy_state,
    record,
    request,
    rows,
    state,
)

NO_CURSOR = {"__ab_no_cursor_state_message": True}
COMPLETE = {"__ab_full_refresh_sync_complete": True}


def resumed(stored: Any, *bindings: Any) -> list[Any]:
    source = Played()
    Sync(source, request(*bindings, stored=stored))
    return source.states


def stream_state(name: str, value: Any) -> Any:
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": value}}


def entry(name: str, value: Any) -> Any:
    return {"rowId": 1, "state": stream_state(name, value)}


def test_a_state_comes_back_as_it_was_sent() -> None:
    value = {"at": "2024", "slices": [{"id": None, "n": 1.5}], "big": 2**70, "nested": {"a": {"b": [1]}}}
    sync = Sync(Played(state("users", value)), request(binding("users")))

    assert resumed(sync.stored, binding("users")) == [stream_state("users", value)]


def test_null_members_which_no_patch_can_store_are_left_out() -> None:
    sync = Sync(Played(state("users", {"a": None, "b": {"c": None, "d": 1}})), request(binding("users")))

    assert resumed(sync.stored, binding("users")) == [stream_state("users", {"b": {"d": 1}})]


def test_members_that_a_state_no_longer_has_are_gone() -> None:
    sync = Sync(
        Played(state("users", {"a": 1, "b": {"c": 1}}), state("users", {"b": {"d": 1}})), request(binding("users"))
    )

    assert resumed(sync.stored, binding("users")) == [stream_state("users", {"b": {"d": 1}})]


def test_the_first_patch_of_a_new_task_holds_no_null() -> None:
    sync = Sync(Played(state("users", {"a": None})), request(binding("users")))

    assert "None" not in str(sync.patches[0])


def test_a_changed_state_key_restarts_that_binding_alone() -> None:
    stored = {"bindingStateV1": {"a": entry("a", {"n": 1}), "b": entry("b", {"n": 1})}}

    assert resumed(stored, binding("a", state_key="a.v1"), binding("b")) == [stream_state("b", {"n": 1})]


def test_the_order_of_bindings_does_not_matter() -> None:
    sync = Sync(
        Played(record("b", {"id": 1}), state("a", {"n": 1}), state("b", {"n": 2})), request(binding("a"), binding("b"))
    )

    states = resumed(sync.stored, binding("b"), binding("a"))

    assert states == [stream_state("b", {"n": 2}), stream_state("a", {"n": 1})]


def test_unknown_keys_and_a_missing_row_id_are_tolerated() -> None:
    stored = {
        "odd": 1,
        "bindingStateV1": {
            "gone.v3": {"x": 1},
            "a": {"state": {**stream_state("a", {"n": 1}), "global_": None}, "new": 2},
        },
    }
    source = Played(state("a", {"n": 2}))

    sync = Sync(source, request(binding("a"), stored=stored))

    assert sync.failure == ""
    assert source.states == [stream_state("a", {"n": 1})]
    assert sync.stored["bindingStateV1"]["gone.v3"] == {"x": 1}


@pytest.mark.parametrize("sentinel", [NO_CURSOR, COMPLETE, {**COMPLETE, **NO_CURSOR}])
def test_sentinels_are_neither_stored_nor_handed_back(sentinel: Any) -> None:
    sync = Sync(Played(state("users", {**sentinel, "n": 1})), request(binding("users")))

    assert "__ab" not in str(sync.stored)
    assert resumed(sync.stored, binding("users")) == [stream_state("users", {"n": 1})]


def test_a_sentinel_that_an_older_shim_stored_is_left_out() -> None:
    stored = {"bindingStateV1": {"users": entry("users", COMPLETE)}}

    assert resumed(stored, binding("users")) == []


def test_a_full_refresh_starts_over() -> None:
    stored = {"bindingStateV1": {"users": entry("users", {"page": 3})}}
    source = Played(state("users", {"page": 4}))

    sync = Sync(source, request(binding("users", "full_refresh"), stored=stored))

    assert source.states == []
    assert sync.sequence == ["checkpoint"]


def test_a_global_state_survives_a_restart() -> None:
    source = Played(global_state({"lsn": 7}, a={"n": 1}, b={}), global_state({"lsn": 8}, a={"n": 1}, b={}))
    sync = Sync(source, request(binding("a"), binding("b")))

    assert sync.patches[1] == {"globalStateV1": {"lsn": 8}}
    assert resumed(sync.stored, binding("a"), binding("b")) == [
        {
            "type": "GLOBAL",
            "global": {
                "shared_state": {"lsn": 8},
                "stream_states": [{"stream_descriptor": {"name": "a"}, "stream_state": {"n": 1}}],
            },
        }
    ]


def test_a_backfilled_binding_is_missing_from_the_global_state() -> None:
    sync = Sync(Played(global_state({"lsn": 7}, a={"n": 1}, b={"n": 2})), request(binding("a"), binding("b")))

    (resumed_state,) = resumed(sync.stored, binding("a", state_key="a.v1"), binding("b"))

    assert [stream["stream_descriptor"]["name"] for stream in resumed_state["global"]["stream_states"]] == ["b"]


def test_where_all_bindings_are_backfilled_the_shared_state_is_forgotten() -> None:
    sync = Sync(Played(global_state({"lsn": 7}, a={"n": 1})), request(binding("a")))

    assert resumed(sync.stored, binding("a", state_key="a.v1")) == []


def test_a_legacy_state_survives_a_restart() -> None:
    sync = Sync(Played(legacy_state(a={"n": 1}, b={"n": 2}, clock=5)), request(binding("a"), binding("b")))

    assert resumed(sync.stored, binding("a"), binding("b")) == [
        {"type": "LEGACY", "data": {"clock": 5, "a": {"n": 1}, "b": {"n": 2}}}
    ]
    assert resumed(sync.stored, binding("a", state_key="a.v1"), binding("b")) == [
        {"type": "LEGACY", "data": {"clock": 5, "b": {"n": 2}}}
    ]


def test_a_state_of_an_unknown_type_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    message = legacy_state()
    message.state.type = "NEW"

    assert Sync(Played(message), request(binding("a"))).failure == ""
    assert "a state of the unknown type NEW" in caplog.text


def test_a_state_without_a_type_is_known_by_its_members() -> None:
    streamed, legacy = state("a", {"n": 1}), legacy_state(a={"n": 2})
    streamed.state.type = legacy.state.type = None

    sync = Sync(Played(streamed), request(binding("a")))
    assert resumed(sync.stored, binding("a")) == [stream_state("a", {"n": 1})]
    sync = Sync(Played(legacy), request(binding("a")))
    assert resumed(sync.stored, binding("a")) == [{"type": "LEGACY", "data": {"a": {"n": 2}}}]


def test_the_entry_of_another_shard_s_binding_is_left_alone() -> None:
    stored = {"bindingStateV1": {"events": {"rowId": 5, "previousRows": 5}}}
    opened = request(rows("events"), binding("users"), stored=stored, key_range=RangeSpec(key_begin=1, key_end=0))

    assert Sync(Played(), opened).sequence == []


def test_a_list_that_the_source_goes_on_changing_is_stored_as_it_was_told() -> None:
    seen: list[int] = []

    def growing() -> Any:
        for n in range(3):
            seen.append(n)
            yield record("users", {"id": n})
            yield state("users", {"seen": seen})

    source = Played()
    source._messages = growing()
    sync = Sync(source, request(binding("users")))

    assert resumed(sync.stored, binding("users")) == [stream_state("users", {"seen": [0, 1, 2]})]


@pytest.mark.parametrize("kind", ["global", "legacy"])
def test_a_shared_state_never_passes_over_a_record_that_was_lost(kind: str) -> None:
    def told(n: int) -> Any:
        return global_state({"lsn": n}) if kind == "global" else legacy_state(lsn={"n": n}, users={"n": n})

    sync = Sync(
        Played(told(1), record("users", {"id": float("nan")}), told(9)), request(binding("users"), binding("events"))
    )

    assert "9" not in str(sync.stored)
    assert "1" in str(sync.stored)


def test_shared_states_leave_the_bindings_of_other_shards_alone() -> None:
    names = ["users", "orders", "events"]
    stored = {"bindingStateV1": {name: entry(name, {"n": 1}) for name in names}}
    half = RangeSpec(key_end=0x7FFF_FFFF)
    sync = Sync(
        Played(legacy_state(**{name: {"n": 2} for name in names})),
        request(*map(binding, names), stored=stored, key_range=half),
    )

    kept = [name for name in names if sync.stored["bindingStateV1"][name] == stored["bindingStateV1"][name]]
    assert kept == [name for name in names if not half.owns(key_hash(name))]
    assert 0 < len(kept) < len(names)


def test_two_streams_of_a_name_both_keep_their_legacy_state() -> None:
    first, second = binding("users", namespace="a"), binding("users", namespace="b")
    sync = Sync(Played(legacy_state(users={"n": 2})), request(first, second))

    assert resumed(sync.stored, second) == [{"type": "LEGACY", "data": {"users": {"n": 2}}}]


def test_streams_that_know_no_legacy_state_keep_theirs_beside_one() -> None:
    legacy = {"rowId": 1, "state": {"type": "LEGACY", "data": {"b": {"n": 2}}}}
    stored = {"bindingStateV1": {"a": entry("a", {"n": 1}), "b": legacy}}

    assert resumed(stored, binding("a"), binding("b")) == [{"type": "LEGACY", "data": {"a": {"n": 1}, "b": {"n": 2}}}]
