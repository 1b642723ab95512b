from __future__ import annotations

import os
import signal
import sys
import threading
from importlib.metadata import version
from typing import Any

import pytest

from python.builder.engine import WorkerEngine
from python.builder.jobs import Command, Job
from python.builder.worker import answering, child, rehearsing

pytest.importorskip("airbyte_cdk")


def test_a_rehearsed_job_has_the_keys_of_a_real_one() -> None:
    engine = WorkerEngine()
    engine._keeper.versions = {"cdk_version": "7.39.1"}
    real = engine._request(Job(command=Command.TEST_READ, manifest={}), "folder", 0.0)

    rehearsed = rehearsing._job("http://127.0.0.1:1", "folder", "7.39.1")

    assert set(rehearsed) == set(real)
    assert set(rehearsed["limits"]) == set(real["limits"])


def test_a_rehearsed_read_reads_all_pages_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    answer = answering.answer

    def answered(*arguments: Any) -> Any:
        asked.append(answer(*arguments))
        return asked[-1]

    def state() -> tuple[Any, ...]:
        main, variables = sys.modules["__main__"], dict(os.environ)
        return main, sys.excepthook, sys.argv, variables, signal.getsignal(signal.SIGALRM), threading.active_count()

    monkeypatch.setattr(answering, "answer", answered)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    before = state()

    rehearsing.read(version("airbyte-cdk"))

    assert not rehearsing.has_threads() or before[-1] > 1
    assert state() == before
    assert asked[0]["failure"] is None
    assert [len(page["records"]) for page in asked[0]["result"]["slices"][0]["pages"]] == [2, 1]


def test_threads_that_stay_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsing, "_END_SECONDS_MAX", 0.001)
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()

    assert rehearsing.has_threads()

    release.set()
    thread.join()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is told of a process's pages")
def test_a_child_tells_which_memory_a_job_writes_to() -> None:
    runs = rehearsing.memory_of_a_job(version("airbyte-cdk"))

    size = os.sysconf("SC_PAGE_SIZE")
    assert sum(end - start for start, end in runs) // size > 1000
    assert all(start % size == 0 and start < end for start, end in runs)


def test_a_child_that_fails_tells_of_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise SystemExit("no")

    monkeypatch.setattr(child, "run", fail)

    assert rehearsing.memory_of_a_job("7.39.1") == []
