from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from python.shim_singer_sdk.emitting import COPY_SHARE_MAX, STATE_SECONDS_MIN, Emitter


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class RecordMessage:
    def __init__(self, stream: str, record: dict[str, Any], version: int | None = None) -> None:
        self.stream, self.record, self.version = stream, record, version


class SchemaMessage:
    def __init__(self, stream: str) -> None:
        self.stream = stream


class StateMessage:
    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value


class SDKBatchMessage:
    def to_dict(self) -> dict[str, Any]:
        return {"type": "BATCH", "stream": "alias", "manifest": ["file:///x"]}


class ActivateVersionMessage:
    def to_dict(self) -> dict[str, Any]:
        return {"type": "ACTIVATE_VERSION", "stream": "a", "version": 3}


class SlowToCopy(Mapping[str, Any]):
    """A state whose copy takes a second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __getitem__(self, key: str) -> Any:
        return 1

    def __iter__(self) -> Iterator[str]:
        self._clock.seconds += 1
        return iter(["a"])

    def __len__(self) -> int:
        return 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def put() -> list[Any]:
    return []


def emitter(put: list[Any], clock: Clock, seconds_min: float = STATE_SECONDS_MIN) -> Emitter:
    return Emitter(put.append, clock, seconds_min)


def test_messages_are_plain_and_streams_have_the_names_that_bindings_know(put: list[Any], clock: Clock) -> None:
    emit = emitter(put, clock)
    emit.names = {"alias": "a"}

    for message in (
        SchemaMessage("alias"),
        RecordMessage("alias", {"x": 1}, 2),
        SDKBatchMessage(),
        ActivateVersionMessage(),
    ):
        emit.message(message)

    assert put == [
        {"type": "SCHEMA", "stream": "a"},
        {"type": "RECORD", "stream": "a", "record": {"x": 1}, "version": 2},
        {"type": "BATCH", "stream": "a", "manifest": ["file:///x"]},
        {"type": "ACTIVATE_VERSION", "stream": "a", "version": 3},
    ]


def test_a_record_that_the_tap_reuses_is_what_it_was(put: list[Any], clock: Clock) -> None:
    reused = {"x": 1}
    emitter(put, clock).message(RecordMessage("a", reused))

    reused["x"] = 2

    assert put[0]["record"] == {"x": 1}


def test_a_state_is_a_copy_of_the_live_one_with_every_digit(put: list[Any], clock: Clock) -> None:
    live = {"bookmarks": {"a": {"v": Decimal("1.10")}}}
    emitter(put, clock).message(StateMessage(live))

    live["bookmarks"]["a"]["v"] = Decimal(2)

    assert repr(put[0]["value"]) == "{'bookmarks': {'a': {'v': Decimal('1.10')}}}"


def test_two_thousand_states_in_a_second_are_as_many_snapshots_as_are_due(put: list[Any], clock: Clock) -> None:
    emit, live = emitter(put, clock), {"n": 0}

    for number in range(2000):
        live["n"] = number
        emit.state(live)
        clock.seconds += 1 / 2000
    emit.finish()

    assert len(put) <= 1 / STATE_SECONDS_MIN + 1
    assert put[-1]["value"] == {"n": 1999}


def test_a_state_that_is_slow_to_copy_is_copied_less_often(put: list[Any], clock: Clock) -> None:
    emit = emitter(put, clock)

    for _ in range(100):
        emit.state(SlowToCopy(clock))
        clock.seconds += 1

    assert len(put) <= 100 * COPY_SHARE_MAX + 1


def test_every_state_is_put_where_no_pace_is_asked_for(put: list[Any], clock: Clock) -> None:
    emit = emitter(put, clock, 0)

    for number in range(5):
        emit.state({"n": number})

    assert len(put) == 5


def test_a_state_that_records_have_followed_is_not_put_at_the_end(put: list[Any], clock: Clock) -> None:
    emit, live = emitter(put, clock), {"n": 0}
    emit.state(live)
    emit.state(live)
    emit.message(RecordMessage("a", {}))

    emit.finish()

    assert [each["type"] for each in put] == ["STATE", "RECORD"]
