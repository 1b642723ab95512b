from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from python.protocol.errors import ConnectorError
from python.shim_airbyte_cdk import CaptureShim
from python.shim_airbyte_cdk.stalls import SAMPLES, STALL_SECONDS_MAX, stacks, watching
from python.shim_airbyte_cdk.timeouts import SILENCE_SECONDS_MAX
from tests.airbyte_messages import Played, Sync, binding, cdk, record, request, state, status

SECONDS = 0.5
NOTHING_CAME = "the source made no progress for 0.5 seconds (the log has the stacks of its threads)"


class Stalling(Played):
    """A source that does `wait` after its messages, and then plays `after`."""

    def __init__(self, *messages: Any, wait: Callable[[], Any], after: tuple[Any, ...] = ()) -> None:
        super().__init__(*messages)
        self._wait = wait
        self._after = after

    def read(self, *args: Any) -> Iterator[Any]:
        yield from super().read(*args)
        self._wait()
        yield from self._after


def for_ever() -> None:
    threading.Event().wait()


def test_a_stalled_stream_fails_after_what_was_complete_has_been_checkpointed() -> None:
    source = Stalling(
        *(status("a", "STARTED"), record("a", {"id": 1}), state("a", {"n": 1}), status("a", "COMPLETE")),
        *(status("b", "STARTED"), record("b", {"id": 2})),
        wait=for_ever,
    )

    sync = Sync(source, request(binding("a"), binding("b", "full_refresh")), stall_seconds_max=SECONDS)

    assert sync.failure == f"1 of 2 streams failed: stream b: {NOTHING_CAME}"
    assert [len(sync.of(0)), len(sync.of(1))] == [1, 1]
    assert sync.sequence[-1] == "checkpoint"
    assert sync.stored["bindingStateV1"]["a"]["state"]["stream"]["stream_state"] == {"n": 1}


def test_the_stacks_of_all_threads_are_in_one_log(caplog: pytest.LogCaptureFixture) -> None:
    going = threading.Event()

    def a_request_of_another_thread() -> None:
        going.wait()

    other = threading.Thread(target=a_request_of_another_thread, name="worker-7")
    other.start()
    with caplog.at_level(logging.ERROR):
        Sync(Stalling(wait=for_ever), request(binding("a")), stall_seconds_max=SECONDS)
    going.set()
    other.join()

    (entry,) = [entry for entry in caplog.records if hasattr(entry, "stacks")]
    assert entry.getMessage() == f"1 of 1 streams failed: stream a: {NOTHING_CAME}"
    found = vars(entry)["stacks"]
    assert any("in for_ever" in line for line in found["MainThread"])
    assert any("in a_request_of_another_thread" in line for line in found["worker-7"])
    assert not [name for name in found if name.startswith("headwater-")]


def test_a_source_that_swallows_the_end_has_failed_all_the_same() -> None:
    def stubborn() -> None:
        with contextlib.suppress(BaseException):
            for_ever()

    source = Stalling(wait=stubborn, after=(record("a", {"id": 1}), status("a", "COMPLETE")))

    sync = Sync(source, request(binding("a")), stall_seconds_max=SECONDS)

    assert sync.failure == f"1 of 1 streams failed: stream a: {NOTHING_CAME}"


def test_a_source_that_makes_another_error_of_it_is_told_as_a_stall() -> None:
    def confused() -> None:
        try:
            for_ever()
        except BaseException as error:
            raise RuntimeError("the connection is gone") from error

    assert NOTHING_CAME in Sync(Stalling(wait=confused), request(binding("a")), stall_seconds_max=SECONDS).failure


def test_logs_are_no_progress() -> None:
    def talkative() -> Iterator[Any]:
        while True:
            threading.Event().wait(0.01)
            yield cdk.AirbyteMessage(
                type=cdk.Type.LOG, log=cdk.AirbyteLogMessage(level=cdk.Level.DEBUG, message="still waiting")
            )

    class Talking(Played):
        def read(self, *args: Any) -> Iterator[Any]:
            return talkative()

    assert NOTHING_CAME in Sync(Talking(), request(binding("a")), stall_seconds_max=SECONDS).failure


def test_what_those_take_who_read_from_us_is_no_stall() -> None:
    shim = CaptureShim(delegate=Played(record("a", {"id": 1})), stall_seconds_max=SECONDS)
    responses = shim.answer(request(binding("a")))
    kinds = [type(next(responses)).__name__, type(next(responses)).__name__]
    threading.Event().wait(2 * SECONDS)  # a runtime that is slow to read

    assert [*kinds, *(type(response).__name__ for response in responses)] == ["Opened", "Captured", "Checkpoint"]


class Still:
    """A watched source that is always busy and never gets anywhere; it remembers that it was told so."""

    busy, in_source, progress = True, True, 0

    def __init__(self) -> None:
        self.told = 0

    def stalled(self, seconds: float) -> str:
        self.told += 1
        return ""


def test_on_another_thread_which_no_signal_reaches_nothing_is_watched() -> None:
    still = Still()

    def elsewhere() -> None:
        with watching(still, 0.01):
            threading.Event().wait(0.05)

    other = threading.Thread(target=elsewhere)
    other.start()
    other.join()

    assert still.told == 0


def test_a_stall_is_longer_than_a_server_may_be_silent() -> None:
    assert STALL_SECONDS_MAX - STALL_SECONDS_MAX / SAMPLES > SILENCE_SECONDS_MAX


def test_threads_of_one_name_are_kept_apart() -> None:
    going = threading.Event()
    twins = [threading.Thread(target=going.wait, name="twin") for _ in range(2)]
    for twin in twins:
        twin.start()
    found = [name for name in stacks() if name.startswith("twin")]
    going.set()
    for twin in twins:
        twin.join()

    assert len(found) == 2


def test_a_failure_of_the_source_itself_is_no_stall() -> None:
    source = Played(RuntimeError("no quota left"))

    with pytest.raises(ConnectorError, match="RuntimeError: no quota left"):
        list(CaptureShim(delegate=source, stall_seconds_max=SECONDS).answer(request(binding("a"))))
