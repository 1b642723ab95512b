from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from python.builder.worker.watching import DeadlineError, StoppedError, Watch
from tests.builder.worker.messages import exchange, record


def watch(told: list[tuple[str, Any]] | None = None, **limits: Any) -> Watch:
    wanted = {"records": 100, "result_bytes": 10_000, "seconds": 60.0, **limits}
    job = {"stream": "a", "folder": "/nowhere", "limits": wanted, "started": time.monotonic()}
    return Watch(job, lambda kind, data: (told if told is not None else []).append((kind, data)))


def test_a_read_within_its_limits_passes_whole() -> None:
    made = watch()

    assert len(list(made.through(iter([exchange("/1"), record(a=1)])))) == 2
    assert made.reached == []


def test_no_message_is_asked_for_once_the_records_are_enough() -> None:
    def messages() -> Iterator[SimpleNamespace]:
        yield from (record(a=1), record(a=2))
        raise AssertionError

    made = watch(records=2)

    assert len(list(made.through(messages()))) == 2
    assert made.reached == ["records"]
    assert made.stopped


def test_what_would_make_the_result_too_large_is_left_out_and_the_page_before_told() -> None:
    told: list[tuple[str, Any]] = []
    made = watch(told, result_bytes=400)

    passed = list(made.through(iter([exchange("/1"), record(a=1), record(a="x" * 1000), record(a=2)])))

    assert len(passed) == 2
    assert made.reached == ["result_bytes"]
    assert [kind for kind, _ in told] == ["page"]


def test_an_answer_larger_than_the_result_may_be_is_refused() -> None:
    made = watch(result_bytes=10)
    made.check_answer(10)

    with pytest.raises(StoppedError):
        made.check_answer(11)
    assert made.reached == ["result_bytes"]


def test_the_deadline_interrupts_the_wait_for_a_message() -> None:
    def messages() -> Iterator[SimpleNamespace]:
        yield record(a=1)
        signal.pause()

    made = watch(seconds=0.05)
    before = signal.getsignal(signal.SIGALRM)
    try:
        made.start_clock()
        passed = list(made.through(messages()))
    finally:
        made.stop_clock()
        signal.signal(signal.SIGALRM, before)

    assert len(passed) == 1
    assert made.reached == ["seconds"]


def test_the_deadline_interrupts_what_comes_before_reading() -> None:
    made = watch(seconds=0.01)
    before = signal.getsignal(signal.SIGALRM)
    try:
        made.start_clock()
        with pytest.raises(DeadlineError):
            signal.pause()
    finally:
        made.stop_clock()
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    ("declared", "generated", "unknown"),
    [(["a"], [], False), ([], ["a"], False), (["b"], ["c"], True), ([], [], True)],
)
def test_a_stream_is_known_if_it_is_declared_or_generated(
    declared: list[str], generated: list[str], unknown: bool
) -> None:
    streams = [SimpleNamespace(name=name) for name in (*declared, *generated)]
    source = SimpleNamespace(
        resolved_manifest={"streams": [{"name": name} for name in declared]}, streams=lambda _config: streams
    )
    made = watch()

    assert made.unknown_stream(source, {}) is unknown
    if unknown:
        assert made.failure is not None
        names = ", ".join((*declared, *generated)) or "none"
        assert made.failure["message"] == f"the manifest has no stream 'a'; it has: {names}"
