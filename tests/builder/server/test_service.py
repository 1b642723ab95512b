"""How much runs at once: a job's deadline counts while it waits, and one request leaves room for others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from python.builder.jobs import Command, Event, Job, Limits, Outcome
from python.builder.server import service as services
from python.builder.server.problems import Problem
from python.builder.server.service import Reading, Service
from python.builder.server.settings import Settings
from python.builder.worker.masking import Masker
from tests.builder.server.served import Memories, Memory


class Gated(Memory):
    """Ends a job when it is let, and knows how many ran at once."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.began: asyncio.Queue[Job] = asyncio.Queue()
        self.running = self.most = 0

    async def run(self, job: Job) -> AsyncIterator[Event | Outcome]:
        self.asked.append(job)
        self.running += 1
        self.most = max(self.most, self.running)
        self.began.put_nowait(job)
        await self.gate.wait()
        self.running -= 1
        yield Outcome(result={})


def job(seconds: float = 60) -> Job:
    return Job(command=Command.RESOLVE, manifest={}, limits=Limits(seconds=seconds))


def ran(work: Any) -> None:
    asyncio.run(asyncio.wait_for(work(), 20))


def test_the_deadline_counts_while_a_job_waits_for_its_turn() -> None:
    async def work() -> None:
        engine, service = Gated(), Service(Settings(jobs_max=1), Memories())
        first = asyncio.create_task(service.outcome(engine, job()))
        await engine.began.get()
        with pytest.raises(Problem, match="1 jobs are running, and none ended within the deadline") as caught:
            await service.outcome(engine, job(0.05))
        assert (caught.value.status, caught.value.told.details) == (503, {"kind": "deadline"})
        second = asyncio.create_task(service.outcome(engine, job()))
        await asyncio.sleep(0)  # for it to be in the queue
        engine.gate.set()
        await asyncio.gather(first, second)
        assert engine.asked[0].limits.seconds == 60
        assert engine.asked[1].limits.seconds < 60

    ran(work)


def test_so_many_wait_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_WAITING_MAX", 2)

    async def work() -> None:
        engine, service = Gated(), Service(Settings(jobs_max=1), Memories())
        tasks = [asyncio.create_task(service.outcome(engine, job())) for _ in range(3)]
        await engine.began.get()
        with pytest.raises(Problem, match="1 jobs are running, and 2 wait: ask again later") as caught:
            await service.outcome(engine, job())
        assert caught.value.status == 503
        engine.gate.set()
        await asyncio.gather(*tasks)
        await service.outcome(engine, job())

    ran(work)


def test_a_read_of_many_streams_leaves_slots_for_others() -> None:
    async def work() -> None:
        engine, service = Gated(), Service(Settings(jobs_max=4), Memories())
        reading = Reading(job=job(), engine=engine, found=(), masker=Masker({}, {}), refused=lambda _: {})

        async def every() -> int:
            return sum([told.is_last async for told in service.reads([reading] * 50, live=False)])

        many = asyncio.create_task(every())
        await engine.began.get()
        await engine.began.get()
        one = asyncio.create_task(service.outcome(engine, job()))
        await engine.began.get()
        engine.gate.set()
        await one
        assert await many == 50
        assert engine.most == 3

    ran(work)


class Telling(Memory):
    """Tells an event when it is let, and then hangs."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.began = asyncio.Event(), asyncio.Event()

    async def run(self, job: Job) -> AsyncIterator[Event | Outcome]:
        self.asked.append(job)
        self.began.set()
        await self.gate.wait()
        yield Event("page", {})
        await asyncio.Event().wait()


@pytest.mark.parametrize("steps", range(12))
def test_a_reader_that_leaves_ends_the_read_at_whatever_moment_an_event_comes(steps: int) -> None:
    async def work() -> None:
        engine, service = Telling(), Service(Settings(), Memories())
        reading = Reading(job=job(), engine=engine, found=(), masker=Masker({}, {}), refused=lambda _: {})

        async def every() -> int:
            return sum([told.is_last async for told in service.reads([reading], live=True)])

        task = asyncio.create_task(every())
        await engine.began.wait()
        engine.gate.set()
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=1)
        assert task.cancelled()

    ran(work)
