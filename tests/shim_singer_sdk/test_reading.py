from __future__ import annotations

import logging
from typing import Any

import pytest

from python.shim_singer_sdk import reading
from tests.singer_messages import Sync, activate, kept, record, rows, schema, state, target


def rows_of(count: int, version: int | None = None) -> list[Any]:
    return [schema("a"), *(record("a", {"x": n}, version) for n in range(count))]


def test_the_last_message_is_a_checkpoint_even_where_the_tap_says_nothing() -> None:
    assert Sync([], target("a")).sequence == ["checkpoint"]
    assert Sync([record("a", {"id": 1})], target("a")).sequence[-1] == "checkpoint"


def test_a_stream_without_a_state_still_gets_a_checkpoint_of_its_rows() -> None:
    sync = Sync([schema("a"), record("a", {"id": 1})], target("a", "FULL_TABLE"))

    assert sync.stored == {"bindingStateV1": {"a": {"rowId": 1}}}


def test_documents_with_a_bookmark_wait_for_the_state_that_covers_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "DOCUMENTS_MAX", 2)
    messages = [*(record("a", {"id": n}) for n in range(5)), state(a={"v": 4})]

    assert Sync(messages, target("a")).sequence.index("checkpoint") == 5
    assert Sync(messages[:-1], target("a", "FULL_TABLE")).sequence.index("checkpoint") == 2


def test_documents_do_not_wait_for_a_state_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BYTES_MAX", 10)
    monkeypatch.setattr(reading, "HELD_BYTES_MAX", 100)
    sync = Sync([record("a", {"id": n}) for n in range(5)], target("a"))

    assert "checkpoint" in sync.sequence[:-1]


def test_the_stream_of_a_record_is_an_id_or_a_name() -> None:
    messages = [record("shop-users", {"id": 1}), record("users", {"id": 2}), record("b", {"id": 3})]

    sync = Sync(messages, target("shop-users", stream="users"), target("b", index=1))

    assert [doc["id"] for doc in sync.of(0)] == [1, 2]
    assert [doc["id"] for doc in sync.of(1)] == [3]


def test_a_record_that_no_binding_captures_is_dropped_and_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        sync = Sync([record("parent", {"id": 1}), record("parent", {"id": 2}), record("a", {"id": 1})], target("a"))

    assert len(sync.documents) == 1
    assert caplog.messages == ["stream parent is captured by no binding; its records are left out"]


def test_an_unknown_message_does_not_end_the_capture(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        sync = Sync([{"type": "NEWS"}, {"type": "NEWS"}, record("a", {"id": 1})], target("a"))

    assert len(sync.documents) == 1
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("counts", [(3, 3), (3, 1), (1, 3), (2, 0)])
def test_a_full_table_of_rows_replaces_the_one_before(counts: tuple[int, int]) -> None:
    first = Sync(rows_of(counts[0]), rows("a"))
    second = Sync(rows_of(counts[1]), rows("a"), stored=first.stored)

    found = kept([*first.of(0), *second.of(0)])
    assert [doc["x"] for doc in found.values()] == list(range(counts[1]))


def test_rows_are_deleted_after_a_refresh_that_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "DOCUMENTS_MAX", 1)
    first = Sync(rows_of(3), rows("a"))
    killed = Sync([*rows_of(2), OSError("killed")], rows("a"), stored=first.stored)
    third = Sync(rows_of(1), rows("a"), stored=killed.stored)

    assert len(kept([*first.of(0), *killed.of(0), *third.of(0)])) == 1


def test_nothing_is_deleted_of_a_stream_that_the_tap_did_not_reach() -> None:
    first = Sync(rows_of(3), rows("a"))

    assert Sync([], rows("a"), stored=first.stored).documents == []


def test_a_collection_that_takes_no_tombstones_is_appended_to() -> None:
    refusing = {"type": "object", "required": ["x"]}
    first = Sync(rows_of(2), rows("a", schema=refusing))
    second = Sync(rows_of(2), rows("a", schema=refusing), stored=first.stored)

    assert [doc["_meta"]["row_id"] for doc in second.of(0)] == [2, 3]


def test_activating_a_version_deletes_the_rows_of_older_ones_when_the_new_are_there() -> None:
    first = Sync([*rows_of(3, 1), activate("a", 1)], rows("a", "LOG_BASED"))
    second = Sync([*rows_of(1, 2), activate("a", 2), state(a={"v": 1})], rows("a", "LOG_BASED"), stored=first.stored)

    assert [doc["_meta"] for doc in second.of(0)[1:]] == [{"op": "d", "row_id": 1}, {"op": "d", "row_id": 2}]
    assert second.stored["bindingStateV1"]["a"] == {"rowId": 1, "version": 2, "state": {"v": 1}}


@pytest.mark.parametrize("method", ["FULL_TABLE", "LOG_BASED"])
def test_an_empty_table_of_a_new_version_deletes_all_rows(method: str) -> None:
    first = Sync([*rows_of(3, 1), activate("a", 1), state(a={"v": 1})], rows("a", method))
    second = Sync([activate("a", 2), state(a={"v": 2})], rows("a", method), stored=first.stored)

    assert kept([*first.of(0), *second.of(0)]) == {}
    assert second.stored["bindingStateV1"]["a"]["version"] == 2


def test_rows_without_a_version_outlive_the_activation_that_follows_them() -> None:
    first = Sync([*rows_of(3), activate("a", 1)], rows("a"))
    second = Sync([*rows_of(2), activate("a", 2)], rows("a"), stored=first.stored)

    assert [doc["x"] for doc in kept([*first.of(0), *second.of(0)]).values()] == [0, 1]


@pytest.mark.parametrize("method", ["INCREMENTAL", "LOG_BASED"])
def test_a_record_without_a_version_belongs_to_the_table_that_is_there(method: str) -> None:
    stored = {"bindingStateV1": {"a": {"rowId": 3, "version": 1, "state": {"v": 1}}}}
    messages = [record("a", {"x": 3}), record("a", {"x": 4}, 1), record("a", {"x": 5}), state(a={"v": 2})]

    sync = Sync(messages, rows("a", method), stored=stored)

    assert [doc["_meta"]["row_id"] for doc in sync.of(0)] == [3, 4, 5]
    assert sync.stored["bindingStateV1"]["a"] == {"rowId": 6, "version": 1, "state": {"v": 2}}


def test_a_full_table_that_has_lost_its_version_is_a_new_one() -> None:
    stored = {"bindingStateV1": {"a": {"rowId": 3, "previousRows": 3, "version": 1, "state": {"version": 1}}}}

    sync = Sync(rows_of(2), rows("a"), stored=stored)

    assert [tuple(doc["_meta"].values()) for doc in sync.of(0)] == [("u", 0), ("u", 1), ("d", 2)]


CHILD = {"c": {"p"}, "k": {"p"}}


def family(*parents: int, after: int) -> list[Any]:
    """Each parent after its two children, which have no key, as the SDK has it; the bookmark is the last parent."""
    found: list[Any] = []
    for number in parents:
        found += [record("c", {"of": number, "n": n}) for n in range(2)]
        found += [record("p", {"id": number}), state(p={"v": number}, c={"partitions": [{"context": {"p": number}}]})]
    return [schema("p"), schema("c"), *found, state(p={"v": after})]


def test_children_of_what_is_new_follow_those_that_are_there() -> None:
    first = Sync(family(0, 1, 2, after=2), target("p"), rows("c", index=1), ancestors=CHILD)
    second = Sync(family(3, after=3), target("p"), rows("c", index=1), stored=first.stored, ancestors=CHILD)

    found = kept([*first.of(1), *second.of(1)])
    assert [(doc["of"], doc["n"]) for doc in found.values()] == [(of, n) for of in range(4) for n in range(2)]


def test_children_without_a_key_are_the_same_wherever_the_tap_was_killed() -> None:
    messages = family(0, 1, 2, after=2)
    for cut in range(len(messages) + 1):
        first = Sync([*messages[:cut], OSError("gone")], target("p"), rows("c", index=1), ancestors=CHILD)
        after = first.stored.get("bindingStateV1", {}).get("p", {}).get("state", {}).get("v", -1)
        rest = family(*range(after + 1, 3), after=2)
        second = Sync(rest, target("p"), rows("c", index=1), stored=first.stored, ancestors=CHILD)

        found = kept([*first.of(1), *second.of(1)])
        assert [(doc["of"], doc["n"]) for doc in found.values()] == [(of, n) for of in range(3) for n in range(2)]


def test_children_of_a_table_that_is_read_whole_replace_those_before() -> None:
    targets = [target("p", "FULL_TABLE"), rows("c", index=1)]
    first = Sync(family(0, 1, 2, after=2), *targets, ancestors=CHILD)
    again = [target("p", "FULL_TABLE"), rows("c", index=1)]
    second = Sync(family(0, after=0), *again, stored=first.stored, ancestors=CHILD)

    assert len(kept([*first.of(1), *second.of(1)])) == 2


def test_an_executable_s_rows_are_deleted_only_where_they_cannot_be_children_of_what_is_new() -> None:
    def second(*others: Any, then: Any = ()) -> int:
        first = Sync(rows_of(3), rows("a"), *others, ancestors=None)
        return len(Sync([*rows_of(1), *then], rows("a"), *others, stored=first.stored, ancestors=None).of(0))

    assert second() == 3
    assert second(target("b", "FULL_TABLE", index=1)) == 3
    assert second(target("b", index=1)) == 1
    assert second(target("b", index=1), then=[activate("a", 1)]) == 3


def test_a_child_that_fails_keeps_the_bookmarks_of_what_leads_to_it() -> None:
    messages = [state(p={"v": 0}), record("k", {"id": None}), record("p", {"id": 1}), state(p={"v": 1}, b={"v": 1})]
    targets = [target("p"), target("k", index=1), target("b", index=2)]

    told = Sync(messages, *targets, ancestors=CHILD)
    unknown = Sync(messages, target("p"), target("k", index=1), target("b", index=2), ancestors=None)

    assert told.failure.startswith("1 of 3 streams failed: stream k")
    assert told.stored["bindingStateV1"]["p"]["state"] == {"v": 0}
    assert told.stored["bindingStateV1"]["b"]["state"] == {"v": 1}
    assert {name: entry["state"] for name, entry in unknown.stored["bindingStateV1"].items()} == {"p": {"v": 0}}


def test_documents_do_not_wait_for_bookmarks_that_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "DOCUMENTS_MAX", 2)
    messages = [record("k", {"id": None}), *(record("p", {"id": n}) for n in range(2)), state(p={"v": 1})]

    sync = Sync(messages, target("p"), target("k", index=1), ancestors=None)

    assert sync.sequence[-2:] == ["checkpoint", "checkpoint"]
    assert sync.stored == {}


def test_a_record_that_cannot_be_written_deletes_when_they_were_read() -> None:
    first = Sync([activate("a", 1), *rows_of(3, 1)], rows("a"))
    second = Sync([activate("a", 2), *rows_of(1, 2)], rows("a"), stored=first.stored)

    assert len(kept([*first.of(0), *second.of(0)])) == 1


def test_a_full_table_that_comes_again_in_the_same_version_replaces_itself() -> None:
    first = Sync([activate("a", 7), *rows_of(3, 7), state(a={})], rows("a"))
    second = Sync([activate("a", 7), *rows_of(2, 7), state(a={})], rows("a"), stored=first.stored)

    assert second.resumed == {}
    assert [doc["x"] for doc in kept([*first.of(0), *second.of(0)]).values()] == [0, 1]


def test_a_full_table_that_goes_on_in_its_version_keeps_the_rows_it_had() -> None:
    bookmark = {"a": {"last_id": 1, "version": 7}}
    first = Sync([*rows_of(2, 7), state(**bookmark), OSError("killed")], rows("a"))
    second = Sync([schema("a"), record("a", {"x": 2}, 7), activate("a", 7)], rows("a"), stored=first.stored)

    assert second.resumed == {"bookmarks": bookmark}
    assert [doc["x"] for doc in kept([*first.of(0), *second.of(0)]).values()] == [0, 1, 2]


def test_a_table_with_a_key_is_not_truncated_and_that_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        sync = Sync([activate("a", 1), record("a", {"id": 1}, 1), activate("a", 1)], target("a", "FULL_TABLE"))

    assert len(sync.documents) == 1
    assert ["Backfill the binding" in message for message in caplog.messages] == [True]


def test_a_record_that_cannot_be_written_fails_its_stream_and_no_other() -> None:
    messages = [
        record("a", {"id": 1}),
        record("a", {"id": 2, "x": {"y": {("no", "text"): 1}}}),
        record("b", {"id": 1}),
        state(a={"v": 2}, b={"v": 1}),
    ]

    sync = Sync(messages, target("a"), target("b", index=1))

    assert [len(sync.of(index)) for index in (0, 1)] == [1, 1]
    assert "stream a, document /id=2: /x/y" in sync.failure
    assert sync.failure.startswith("1 of 2 streams failed")
    assert list(sync.stored["bindingStateV1"]) == ["b"]


def test_a_tap_that_fails_is_told_in_one_sentence_after_what_it_gave() -> None:
    sync = Sync([record("a", {"id": 1}), state(a={"v": 1}), record("a", {"id": 2}), OSError("no route")], target("a"))

    assert sync.failure == "the tap failed: OSError: no route"
    assert len(sync.documents) == 2
    assert sync.sequence[-1] == "checkpoint"
    assert sync.stored["bindingStateV1"]["a"] == {"rowId": 1, "state": {"v": 1}}


def test_resuming_at_any_checkpoint_gives_the_same_documents() -> None:
    def tap(after: int) -> list[Any]:
        return [each for n in range(after, 5) for each in (record("a", {"id": n}), state(a={"v": n + 1}))]

    whole = Sync(tap(0), target("a"))
    for cut in range(1, 10):
        first = Sync([*tap(0)[:cut], OSError("killed")], target("a"))
        after = first.stored.get("bindingStateV1", {}).get("a", {}).get("state", {}).get("v", 0)
        second = Sync(tap(after), target("a"), stored=first.stored)

        assert {doc["id"]: doc for doc in [*first.of(0), *second.of(0)]} == {doc["id"]: doc for doc in whole.of(0)}
