"""The child that waits for a job: it is there before one, runs it, and is missed by nobody when it dies."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

pytest.importorskip("airbyte_cdk")

from python.builder.engine import Interpreter
from python.builder.jobs import Limits, Outcome
from tests.builder.engine.working import Answer, Bench, api, bench, children, everything, is_spare, read_job, records

pytestmark = pytest.mark.slow

SECONDS_MAX = 30
LINGERING = """
import socket, threading

def created(*arguments, create=socket.create_server, **options):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    return create(*arguments, **options)

socket.create_server = created  # a rehearsal makes a server
"""


@pytest.fixture(scope="module")
def warm() -> Iterator[Bench]:
    with bench() as made:
        yield made


def spare(worker: int) -> int:
    """The child of `worker` that waits for a job, once there is one."""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        for each in Path(f"/proc/{worker}/task/{worker}/children").read_text().split():
            if is_spare(int(each), worker):
                return int(each)
    raise AssertionError("no child waits for a job")


def test_a_job_runs_in_the_child_that_waits_and_another_waits_for_the_next(warm: Bench) -> None:
    worker, released = warm.about()["pid"], threading.Event()
    waiting = spare(worker)
    found: list[list[int]] = []

    def silent(_: Mapping[str, str]) -> Answer:
        found.append(children(worker))
        released.set()
        return Answer(b"{}")

    with api(silent=silent) as served:
        warm.outcome(read_job(served.url, "silent"))

    assert released.is_set()
    assert found[0] == [waiting]
    assert spare(worker) != waiting


def test_a_job_is_forked_where_the_child_that_waited_has_died(warm: Bench) -> None:
    worker = warm.about()["pid"]
    waiting = spare(worker)
    watched = os.pidfd_open(waiting)
    os.kill(waiting, signal.SIGKILL)
    assert select.select([watched], [], [], SECONDS_MAX)[0]
    os.close(watched)

    with api() as served:
        outcome = warm.outcome(read_job(served.url))

    assert len(records(outcome)) == 40
    assert outcome.warm
    assert spare(worker) != waiting


def test_more_jobs_at_once_than_children_wait_are_all_run(warm: Bench) -> None:
    async def many(url: str) -> list[int]:
        jobs = [everything(warm.engine, read_job(url, limits=Limits(records=number))) for number in range(1, 7)]
        outcomes = [told[-1] for told in await asyncio.gather(*jobs)]
        return [len(records(outcome)) for outcome in outcomes if isinstance(outcome, Outcome)]

    with api() as served:
        assert warm.loop.run(many(served.url)) == [1, 2, 3, 4, 5, 6]


def test_a_worker_whose_rehearsal_leaves_threads_begins_again_without_one(tmp_path: Path) -> None:
    connector = tmp_path / "source-lingering"
    connector.mkdir()
    (connector / "sitecustomize.py").write_text(LINGERING)
    with api() as served, bench(Interpreter(connectors=str(tmp_path))) as lingering:
        about = lingering.about()
        commands = Path(f"/proc/{about['pid']}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        outcome = lingering.outcome(read_job(served.url))

    assert about["warm"]
    assert commands[-1] == b"unrehearsed"
    assert outcome.warm
    assert len(records(outcome)) == 40
