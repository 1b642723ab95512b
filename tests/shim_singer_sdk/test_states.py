from __future__ import annotations

from typing import Any

import pytest

from tests.singer_messages import Sync, record, rows, schema, state, target


def test_a_bookmark_is_stored_with_the_row_count_beside_it() -> None:
    sync = Sync([record("a", {"id": 1}), state(a={"replication_key_value": 1})], target("a"))

    assert sync.stored == {"bindingStateV1": {"a": {"rowId": 1, "state": {"replication_key_value": 1}}}}


def test_a_sync_resumes_from_its_bookmarks_and_sees_nothing_of_ours() -> None:
    first = Sync([record("a", {"id": 1}), state(a={"v": 1}, b={"v": 2})], target("a"), target("b", index=1))

    second = Sync([record("a", {"id": 2})], target("a"), target("b", index=1), stored=first.stored)

    assert second.resumed == {"bookmarks": {"a": {"v": 1}, "b": {"v": 2}}}
    assert second.of(0)[0]["_meta"]["row_id"] == 1


def test_a_new_task_resumes_from_nothing_and_tells_no_nulls() -> None:
    value = {"a": {"v": 1, "w": None, "x": {"y": None}}}

    sync = Sync([state(**value)], target("a"))

    assert sync.resumed == {}
    assert sync.patches[0] == {"bindingStateV1": {"a": {"rowId": 0, "state": {"v": 1, "x": {}}}}}


def test_only_the_binding_that_changed_is_told() -> None:
    messages = [state(a={"v": 1, "w": 1}, b={"v": 1}), state(a={"v": 2, "w": 1}, b={"v": 1})]

    sync = Sync(messages, target("a"), target("b", index=1))

    assert sync.patches[1] == {"bindingStateV1": {"a": {"state": {"v": 2}}}}


def test_what_vanishes_from_a_bookmark_is_removed() -> None:
    sync = Sync([state(a={"v": 1, "w": {"x": 1}}), state(a={"v": 1})], target("a"))

    assert sync.patches[1] == {"bindingStateV1": {"a": {"state": {"w": None}}}}
    assert sync.stored["bindingStateV1"]["a"]["state"] == {"v": 1}


def test_a_state_that_says_nothing_new_is_no_checkpoint() -> None:
    sync = Sync([state(a={"v": 1}), state(a={"v": 1}), record("a", {"id": 1})], target("a"))

    assert [each for each in sync.sequence if each == "checkpoint"] == ["checkpoint", "checkpoint"]


@pytest.mark.parametrize("counter", [4, None])
def test_a_state_of_the_earlier_shim_resumes(counter: int | None) -> None:
    old: dict[str, Any] = {"replication_key_value": 7}
    if counter is not None:
        old["estuary.dev/rowCounter"] = counter

    sync = Sync(
        [record("a", {"id": 1}), state(a={"replication_key_value": 8})],
        rows("a", "INCREMENTAL"),
        stored={"bindingStateV1": {"a": old}},
    )

    assert sync.resumed == {"bookmarks": {"a": {"replication_key_value": 7}}}
    assert sync.of(0)[0]["_meta"]["row_id"] == (0 if counter is None else 5)
    assert sync.stored["bindingStateV1"]["a"]["state"] == {"replication_key_value": 8}
    assert "estuary.dev/rowCounter" not in sync.stored["bindingStateV1"]["a"]
    assert Sync([], target("a"), stored=sync.stored).resumed == {"bookmarks": {"a": {"replication_key_value": 8}}}


def test_state_outside_of_bookmarks_survives_under_a_key_of_its_own() -> None:
    value = {"bookmarks": {"a": {"v": 1}}, "currently_syncing": "a", "custom": {"x": 1}}

    first = Sync([{"type": "STATE", "value": value}], target("a"))
    second = Sync([{"type": "STATE", "value": {"bookmarks": {"a": {"v": 1}}}}], target("a"), stored=first.stored)

    assert first.stored["singerStateV1"] == {"currently_syncing": "a", "custom": {"x": 1}}
    assert second.resumed == value
    assert second.stored["singerStateV1"] == {}


def test_a_state_of_any_other_shape_is_a_checkpoint_too() -> None:
    messages = [record("a", {"id": 1}), {"type": "STATE", "value": {"page": 1}}, record("a", {"id": 2})]

    first = Sync(messages, target("a"))

    assert first.sequence[1] == "checkpoint"
    assert Sync([], target("a"), stored=first.stored).resumed == {"page": 1}


def test_a_stream_that_is_no_longer_captured_is_not_named_as_the_current_one() -> None:
    stored = {"bindingStateV1": {}, "singerStateV1": {"currently_syncing": "gone"}}

    assert Sync([], target("a"), stored=stored).resumed == {}


def test_bookmarks_of_streams_that_no_binding_captures_are_not_kept() -> None:
    sync = Sync([state(a={"v": 1}, parent={"v": 1})], target("a"))

    assert list(sync.stored["bindingStateV1"]) == ["a"]


def test_bookmarks_under_the_name_of_the_stream_come_back_under_it() -> None:
    first = Sync([state(users={"v": 1})], target("shop-users", stream="users"))

    second = Sync([], target("shop-users", stream="users"), stored=first.stored)

    assert second.resumed == {"bookmarks": {"users": {"v": 1}}}


def test_states_from_before_there_were_bookmarks_are_kept_by_binding() -> None:
    first = Sync([{"type": "STATE", "value": {"a": "2024-01-01", "b": {"x": 1}, "other": 1}}], target("a"), target("b"))

    second = Sync([], target("a", state_key="a.v1"), target("b"), stored=first.stored)

    assert second.resumed == {"b": {"x": 1}, "other": 1}


def test_a_raised_backfill_counter_starts_the_binding_over() -> None:
    first = Sync([record("a", {"id": 1}), state(a={"v": 1})], target("a"))

    second = Sync([record("a", {"id": 1})], target("a", state_key="a.v1"), stored=first.stored)

    assert second.resumed == {}
    assert second.of(0)[0]["_meta"]["row_id"] == 0


def test_progress_that_the_sdk_forgets_is_not_stored() -> None:
    partitions = [{"context": {"x": 1}, "progress_markers": {"v": 3}}, {"context": {"x": 2}, "v": 1}]
    messages = [
        state(a={"progress_markers": {"Note": "…"}}),
        record("a", {"id": 1}),
        state(a={"partitions": partitions, "progress_markers": {"v": 5}}),
    ]

    sync = Sync(messages, target("a"))

    assert sync.stored["bindingStateV1"]["a"]["state"] == {
        "partitions": [{"context": {"x": 1}}, {"context": {"x": 2}, "v": 1}]
    }


def test_rows_of_a_stream_with_a_bookmark_are_counted_when_it_covers_them() -> None:
    stored = {"bindingStateV1": {"a": {"rowId": 5, "state": {"v": 1}}}}
    failing = [record("a", {"id": 1}), state(a={"v": 2}), record("a", {"id": 2}), OSError("gone")]

    sync = Sync(failing, rows("a", "INCREMENTAL"), stored=stored)

    assert sync.stored == {"bindingStateV1": {"a": {"rowId": 6, "state": {"v": 2}}}}
    assert [doc["_meta"]["row_id"] for doc in sync.of(0)] == [5, 6]


def test_the_row_count_of_a_full_table_survives_and_the_tap_never_sees_it() -> None:
    first = Sync([schema("a"), record("a", {"x": 1}), record("a", {"x": 2})], rows("a"))
    second = Sync([schema("a"), record("a", {"x": 1})], rows("a"), stored=first.stored)

    assert first.stored == {"bindingStateV1": {"a": {"rowId": 2, "previousRows": 2}}}
    assert second.resumed == {}
    assert second.of(0)[1] == {"_meta": {"op": "d", "row_id": 1}}
    assert second.stored == {"bindingStateV1": {"a": {"rowId": 1, "previousRows": 1}}}


def test_a_binding_of_which_nothing_came_keeps_its_entry() -> None:
    stored = {"bindingStateV1": {"a": {"rowId": 5, "previousRows": 9}}}

    assert Sync([], rows("a"), stored=stored).patches == [None]


PARENTS = {"k": ["p"], "c": ["p"]}


def test_a_child_that_is_new_is_read_of_all_parents_there_are() -> None:
    first = Sync([record("p", {"id": 1}), state(p={"v": 1})], target("p"), ancestors=PARENTS)
    second = Sync([OSError("gone")], target("p"), target("k", index=1), stored=first.stored, ancestors=PARENTS)
    third = Sync([state(p={"v": 1})], target("p"), target("k", index=1), stored=second.stored, ancestors=PARENTS)
    fourth = Sync([], target("p"), target("k", index=1), stored=third.stored, ancestors=PARENTS)

    assert (second.resumed, third.resumed, fourth.resumed) == ({}, {}, {"bookmarks": {"p": {"v": 1}}})


def test_rows_of_what_is_read_again_for_a_new_child_come_in_the_place_of_those_before() -> None:
    def bound(*more: Any) -> list[Any]:
        return [rows("p", "INCREMENTAL"), rows("c", index=1), *more]

    messages = [record("c", {"x": 1}), record("p", {"x": 1}), state(p={"v": 1})]
    first = Sync(messages, *bound(), ancestors=PARENTS)
    second = Sync(messages, *bound(target("k", index=2)), stored=first.stored, ancestors=PARENTS)

    assert [doc["_meta"]["row_id"] for _, doc in [*first.documents, *second.documents]] == [0, 0, 0, 0]


def test_a_child_of_which_nothing_came_is_not_new_the_next_time() -> None:
    first = Sync([record("p", {"id": 1}), state(p={"v": 1})], target("p"), target("k", index=1), ancestors=PARENTS)

    second = Sync([], target("p"), target("k", index=1), stored=first.stored, ancestors=PARENTS)

    assert second.resumed == {"bookmarks": {"p": {"v": 1}}}


@pytest.mark.parametrize("bookmark", [None, {}, {"partitions": [{"context": {"x": 1}}]}])
def test_rows_without_a_bookmark_come_again_in_the_place_of_those_before(bookmark: Any) -> None:
    messages = [record("a", {"x": 1}), record("a", {"x": 2}), state(a=bookmark)]

    first = Sync(messages, rows("a", "INCREMENTAL"))
    second = Sync(messages, rows("a", "INCREMENTAL"), stored=first.stored)

    assert [doc["_meta"]["row_id"] for doc in [*first.of(0), *second.of(0)]] == [0, 1, 0, 1]


@pytest.mark.parametrize("killed", [0, 1])
def test_rows_that_state_outside_of_bookmarks_covers_are_followed(killed: int) -> None:
    messages = [record("a", {"x": 1}), {"type": "STATE", "value": {"page": 1}}]

    first = Sync([*messages, OSError("gone")] if killed else messages, rows("a", "INCREMENTAL"))
    second = Sync([record("a", {"x": 2})], rows("a", "INCREMENTAL"), stored=first.stored)

    assert second.of(0)[0]["_meta"]["row_id"] == 1
