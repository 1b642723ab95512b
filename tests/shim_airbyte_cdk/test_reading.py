from __future__ import annotations

import importlib
from typing import Any

import pytest

from python.shim_airbyte_cdk import reading
from tests.airbyte_messages import (
    Played,
    Sync,
    binding,
    cdk,
    error,
    record,
    request,
    rows,
    state,
    status,
    trace,
)

exceptions: Any = importlib.import_module("airbyte_cdk.exception_handler")
traced: Any = importlib.import_module("airbyte_cdk.utils.traced_exception")


def summary(*streams: str) -> Any:
    """What the CDK raises at the end where streams have failed, of whose failures it has told."""
    failed = {name: [traced.AirbyteTracedException(message="failed")] for name in streams}
    return traced.AirbyteTracedException(message=exceptions.generate_failed_streams_error_message(failed))


def entries(sync: Sync) -> Any:
    return sync.stored["bindingStateV1"]


def test_documents_leave_in_the_source_s_order_and_before_the_checkpoint_of_their_state() -> None:
    source = Played(
        record("users", {"id": 2}), record("users", {"id": 1}), state("users", {"at": 1}), record("users", {"id": 3})
    )

    sync = Sync(source, request(binding("users")))

    assert [part if part == "checkpoint" else part["id"] for part in sync.sequence] == [
        2,
        1,
        "checkpoint",
        3,
        "checkpoint",
    ]


def test_a_state_of_one_stream_patches_that_binding_alone() -> None:
    source = Played(state("a", {"n": 1}), state("b", {"n": 1}), state("a", {"n": 2}))

    sync = Sync(source, request(binding("a"), binding("b")))

    assert sync.patches[2] == {"bindingStateV1": {"a": {"state": {"stream": {"stream_state": {"n": 2}}}}}}


def test_the_shim_s_own_checkpoint_never_moves_a_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "DOCUMENTS_MAX", 1)
    monkeypatch.setattr(reading, "HELD_BYTES_MAX", 1)
    source = Played(
        record("users", {"id": 9}), state("users", {"at": 9}), record("users", {"id": 5}), record("users", {"id": 7})
    )

    sync = Sync(source, request(binding("users")))

    assert len(sync.patches) == 5
    assert [patch is not None for patch in sync.patches] == [False, True, False, False, True]
    assert entries(sync)["users"]["state"]["stream"]["stream_state"] == {"at": 9}


def test_documents_of_an_incremental_stream_wait_for_their_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "DOCUMENTS_MAX", 2)
    source = Played(*(record("users", {"id": n}) for n in range(10)), state("users", {"at": 9}))

    sync = Sync(source, request(binding("users")))

    assert sync.sequence.index("checkpoint") == 10


def test_a_full_refresh_is_checkpointed_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "DOCUMENTS_MAX", 2)
    source = Played(*(record("events", {"n": n}) for n in range(5)))

    sync = Sync(source, request(rows("events")))

    assert [part if part == "checkpoint" else part["n"] for part in sync.sequence] == [
        0,
        1,
        "checkpoint",
        2,
        3,
        "checkpoint",
        4,
        "checkpoint",
    ]
    assert [patch["bindingStateV1"]["events"]["rowId"] for patch in sync.patches] == [2, 4, 5]


def test_so_it_is_after_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BYTES_MAX", 100)
    source = Played(*(record("events", {"text": "x" * 100}) for _ in range(3)))

    assert Sync(source, request(rows("events"))).sequence.count("checkpoint") == 4


def test_a_stream_without_any_state_gets_a_checkpoint() -> None:
    sync = Sync(Played(record("users", {"id": 1})), request(binding("users")))

    assert sync.sequence[-1] == "checkpoint"
    assert entries(sync)["users"]["rowId"] == 0


def test_a_source_that_has_nothing_ends_with_a_checkpoint_and_the_state_of_a_new_task() -> None:
    sync = Sync(Played(), request(binding("users")))

    assert sync.sequence == ["checkpoint"]
    assert entries(sync)["users"]["state"]["stream"] == {"stream_descriptor": {"name": "users"}, "stream_state": {}}


def test_the_same_refresh_again_gives_the_same_documents() -> None:
    events = [record("events", {"n": n}) for n in range(3)]
    first = Sync(Played(*events), request(rows("events")))

    second = Sync(Played(*events), request(rows("events"), stored=first.stored))

    assert second.documents == first.documents
    assert [doc["_meta"] for doc in second.of(0)] == [{"op": "u", "row_id": n} for n in range(3)]


def test_a_shorter_refresh_deletes_the_rows_that_are_gone() -> None:
    first = Sync(Played(*(record("events", {"n": n}) for n in range(4))), request(rows("events")))

    second = Sync(Played(record("events", {"n": 0})), request(rows("events"), stored=first.stored))

    assert second.of(0)[1:] == [{"_meta": {"op": "d", "row_id": n}} for n in (1, 2, 3)]
    assert second.sequence[-1] == "checkpoint"
    assert entries(second)["events"]["previousRows"] == 1


def test_deletions_reach_to_the_longest_refresh_that_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "DOCUMENTS_MAX", 1)
    first = Sync(Played(*(record("events", {"n": n}) for n in range(2))), request(rows("events")))
    killed = Sync(
        Played(*(record("events", {"n": n}) for n in range(5)), ValueError("boom")),
        request(rows("events"), stored=first.stored),
    )

    last = Sync(Played(record("events", {"n": 0})), request(rows("events"), stored=killed.stored))

    assert [doc["_meta"]["row_id"] for doc in last.of(0) if doc["_meta"]["op"] == "d"] == [1, 2, 3, 4]


def test_many_deletions_are_checkpointed_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "DOCUMENTS_MAX", 2)
    stored = {"bindingStateV1": {"events": {"rowId": 5, "previousRows": 5}}}

    assert Sync(Played(), request(rows("events"), stored=stored)).sequence.count("checkpoint") == 3


def test_a_refresh_that_failed_deletes_nothing() -> None:
    stored = {"bindingStateV1": {"events": {"rowId": 5, "previousRows": 5}}}
    source = Played(record("events", {"n": 0}), error("events", "gone"), status("events", "INCOMPLETE"))

    sync = Sync(source, request(rows("events"), stored=stored))

    assert [doc["_meta"]["op"] for doc in sync.of(0)] == ["u"]
    assert entries(sync)["events"]["previousRows"] == 5


def test_an_exception_behind_a_failure_is_told_and_leaves_no_other_stream_complete(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stored = {"bindingStateV1": {"events": {"rowId": 5, "previousRows": 5}}}
    source = Played(error("users", "spent"), record("events", {"n": 0}), RuntimeError("connection reset"))

    sync = Sync(source, request(binding("users"), rows("events"), stored=stored))

    assert [doc["_meta"]["op"] for doc in sync.of(1)] == ["u"]
    assert sync.failure == "1 of 2 streams failed: RuntimeError: connection reset; stream users: spent"
    assert "the source failed: RuntimeError: connection reset" in caplog.text
    assert entries(sync)["events"]["previousRows"] == 5


def test_a_summary_of_failures_without_statuses_leaves_no_stream_complete() -> None:
    stored = {"bindingStateV1": {"events": {"rowId": 5, "previousRows": 5}}}
    source = Played(error("users", "spent"), record("events", {"n": 0}), summary("users"))

    sync = Sync(source, request(binding("users"), rows("events"), stored=stored))

    assert [doc["_meta"]["op"] for doc in sync.of(1)] == ["u"]
    assert sync.failure == "1 of 2 streams failed: stream users: spent"


def test_a_stream_that_the_source_forgot_is_warned_of_and_not_emptied(caplog: pytest.LogCaptureFixture) -> None:
    stored = {"bindingStateV1": {"events": {"rowId": 5, "previousRows": 5}}}

    sync = Sync(Played(status("users", "COMPLETE")), request(rows("events"), binding("users"), stored=stored))

    assert sync.documents == []
    assert "stream events: the source has not said that it read it" in caplog.text
    assert "stream users" not in caplog.text


def test_a_complete_stream_is_finished_at_once() -> None:
    stored = {"bindingStateV1": {"events": {"rowId": 2, "previousRows": 2}}}
    source = Played(status("events", "COMPLETE"), record("users", {"id": 1}), status("users", "COMPLETE"))

    sync = Sync(source, request(rows("events"), binding("users"), stored=stored))

    assert [index for index, _ in sync.documents] == [0, 0, 1]


def test_a_state_of_an_older_shim_without_a_count_goes_on_appending() -> None:
    stored = {"bindingStateV1": {"events": {"rowId": 7, "state": None}}}

    sync = Sync(Played(record("events", {"n": 0}), record("events", {"n": 1})), request(rows("events"), stored=stored))

    assert [doc["_meta"]["row_id"] for doc in sync.of(0)] == [7, 8]
    assert entries(sync)["events"]["rowId"] == 9
    assert "previousRows" not in entries(sync)["events"]


def test_an_interrupted_appending_refresh_is_not_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "DOCUMENTS_MAX", 1)
    stored = {"bindingStateV1": {"events": {"rowId": 7}}}

    killed = Sync(Played(record("events", {"n": 0}), ValueError("boom")), request(rows("events"), stored=stored))

    assert entries(killed)["events"]["rowId"] == 7


def test_where_the_collection_refuses_tombstones_a_refresh_appends() -> None:
    strict = rows("events", schema={"type": "object", "required": ["n"]})
    first = Sync(Played(record("events", {"n": 0})), request(strict))

    second = Sync(Played(record("events", {"n": 0})), request(strict, stored=first.stored))

    assert [doc["_meta"]["row_id"] for doc in second.of(0)] == [1]


def test_row_ids_of_an_incremental_stream_go_on_with_its_state() -> None:
    source = Played(
        record("log", {"n": 0}),
        record("log", {"n": 1}),
        state("log", {"n": 1}),
        record("log", {"n": 2}),
        ValueError("boom"),
    )
    first = Sync(source, request(rows("log", "incremental")))

    second = Sync(Played(record("log", {"n": 2})), request(rows("log", "incremental"), stored=first.stored))

    assert [doc["_meta"]["row_id"] for doc in second.of(0)] == [2]


def test_row_ids_after_the_last_state_are_not_given_twice() -> None:
    source = Played(record("log", {"n": 0}), state("log", {"n": 0}), record("log", {"n": 1}))
    first = Sync(source, request(rows("log", "incremental")))

    assert entries(first)["log"]["rowId"] == 2


@pytest.mark.parametrize("namespace", [None, ""])
def test_no_namespace_and_an_empty_one_are_the_same(namespace: str | None) -> None:
    source = Played(record("users", {"id": 1}, namespace), state("users", {"n": 1}, namespace))

    sync = Sync(source, request(binding("users", namespace="" if namespace is None else None)))

    assert len(sync.documents) == 1
    assert entries(sync)["users"]["state"]["stream"]["stream_state"] == {"n": 1}


def test_streams_of_two_namespaces_are_two() -> None:
    source = Played(record("users", {"id": 1}, "b"), record("users", {"id": 2}, "a"))

    sync = Sync(source, request(binding("users", namespace="a"), binding("users", namespace="b")))

    assert [(index, doc["id"]) for index, doc in sync.documents] == [(1, 1), (0, 2)]


def test_an_unknown_stream_is_warned_of_once_and_skipped(caplog: pytest.LogCaptureFixture) -> None:
    source = Played(record("other", {}), record("other", {}), state("other", {"n": 1}), record("users", {"id": 1}))

    sync = Sync(source, request(binding("users")))

    assert [doc["id"] for doc in sync.of(0)] == [1]
    assert caplog.text.count("stream other is captured by no binding") == 1
    assert caplog.text.count("state of other, which no binding captures") == 1


def test_a_failed_stream_lets_the_others_finish_and_names_itself_at_the_end() -> None:
    source = Played(
        error("users", "the token is spent"),
        status("users", "INCOMPLETE"),
        record("orders", {"id": 1}),
        state("orders", {"n": 1}),
        status("orders", "COMPLETE"),
        summary("users"),
    )

    sync = Sync(source, request(binding("users"), binding("orders")))

    assert entries(sync)["orders"]["state"]["stream"]["stream_state"] == {"n": 1}
    assert sync.sequence[-1] == "checkpoint"
    assert sync.failure == "1 of 2 streams failed: stream users: the token is spent"


def test_what_read_raises_is_told_in_one_sentence() -> None:
    sync = Sync(Played(record("users", {"id": 1}), KeyError("x")), request(binding("users")))

    assert sync.failure == "the source failed: KeyError: 'x'"
    assert sync.sequence[-1] == "checkpoint"


def test_a_record_that_is_no_json_fails_its_stream_alone_and_stops_its_state() -> None:
    source = Played(
        state("users", {"n": 1}),
        record("users", {"id": 5, "deep": {"x": float("nan")}}),
        record("users", {"id": 6}),
        state("users", {"n": 6}),
        record("orders", {"id": 1}),
        state("orders", {"n": 1}),
    )

    sync = Sync(source, request(binding("users"), binding("orders")))

    assert [index for index, _ in sync.documents] == [1]
    assert entries(sync)["users"]["state"]["stream"]["stream_state"] == {"n": 1}
    assert entries(sync)["orders"]["state"]["stream"]["stream_state"] == {"n": 1}
    assert "stream users, document /id=5: /deep/x: nan is not a JSON number" in sync.failure


def test_unknown_traces_and_messages_do_not_end_the_capture() -> None:
    odd = trace("ANALYTICS", analytics=cdk.AirbyteAnalyticsTraceMessage(type="odd"))
    odd.trace.type = "NEW"
    source = Played(
        odd, cdk.AirbyteMessage(type="NEWER"), cdk.AirbyteMessage(type=cdk.Type.SPEC), record("users", {"id": 1})
    )

    sync = Sync(source, request(binding("users")))

    assert sync.failure == ""
    assert len(sync.documents) == 1


def test_a_subclass_of_a_message_is_read_like_one() -> None:
    class Rendered(cdk.AirbyteMessage):  # type: ignore[misc] # cdk is untyped here; airbyte-source-faker does this
        def __init__(self, **members: Any) -> None:
            super().__init__(**members)
            self._json = {"x": 1}
            self.json = lambda: self._json

    source = Played(Rendered(type=cdk.Type.RECORD, record=record("users", {"id": 1}).record))

    assert len(Sync(source, request(binding("users"))).documents) == 1
