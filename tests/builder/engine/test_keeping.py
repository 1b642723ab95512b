"""A worker is started once for all, tried again after a pause, and replaced; with a fake in its place."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from python.builder.engine import WorkerEngine, keeping
from python.builder.engine.keeping import Keeper
from python.builder.engine.settings import Interpreter, Options
from python.builder.engine.supervision import ColdError
from python.builder.jobs import Command, Event, Job, Kind, Limits, Outcome

SECONDS_MAX = 10.0


class Worker:
    """A supervisor without a process. `starts` are what its starts come to, in turn; afterwards each succeeds."""

    starts: ClassVar[list[Callable[[], Awaitable[object]]]] = []
    count: ClassVar[int] = 0
    versions: ClassVar[Mapping[str, str]] = {"cdk_version": "7.0.0", "python": "3.13.0"}
    is_alive = True
    age: ClassVar[float] = 0.0

    @classmethod
    async def start(cls, _python: str, _environment: Mapping[str, str]) -> Worker:
        Worker.count += 1
        if cls.starts:
            await cls.starts.pop(0)()
        return cls()

    def age_seconds(self) -> float:
        return self.age

    def resident_bytes(self) -> int:
        return 0

    async def idle(self) -> None:
        """It has no job."""

    async def close(self) -> None:
        """It has no process."""


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "Supervisor", Worker)
    monkeypatch.setattr(Worker, "starts", [])
    monkeypatch.setattr(Worker, "count", 0)
    monkeypatch.setattr(Worker, "age", 0.0)


class Clock:
    """A clock that moves when told."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def kept(work: Callable[[Keeper], Awaitable[None]], clock: Clock | None = None, **interpreter: Any) -> None:
    """Do `work` with a keeper."""

    async def working() -> None:
        keeper = Keeper(Interpreter(**interpreter), Options(), clock or Clock())
        try:
            await asyncio.wait_for(work(keeper), SECONDS_MAX)
        finally:
            await keeper.close()

    asyncio.run(working())


async def refuse() -> None:
    raise ColdError("no memory")


async def until_started(keeper: Keeper) -> None:
    """Return when a start that nobody waits for has come to its end."""
    if keeper._trying is not None:  # nobody else may know of it
        await keeper._trying


def test_a_start_that_failed_is_tried_again_after_a_pause_while_jobs_go_on_plainly() -> None:
    clock = Clock()
    Worker.starts += [refuse, refuse]

    async def work(keeper: Keeper) -> None:
        keeper.versions = Worker.versions
        assert await keeper.supervisor() is None
        assert keeper.why_cold == "no memory (tried 0 s ago; the first request in 2 s or later tries again)"
        assert keeper.problem == ""
        await keeper.supervisor()
        assert Worker.count == 1

        clock.seconds += 2
        assert await keeper.supervisor() is None
        await until_started(keeper)
        assert "in 4 s or later" in keeper.why_cold

        clock.seconds += 4
        await keeper.supervisor()
        await until_started(keeper)
        assert await keeper.supervisor() is not None
        assert keeper.why_cold == ""

    kept(work, clock)


def test_an_interpreter_that_did_not_answer_is_asked_again(tmp_path: Path) -> None:
    clock = Clock()
    Worker.starts += [refuse]

    async def work(keeper: Keeper) -> None:
        await keeper.supervisor()
        assert "is no Python that has airbyte-cdk" in keeper.problem
        assert "tried 0 s ago" in keeper.problem

        clock.seconds += 2
        await keeper.supervisor()
        await until_started(keeper)
        assert keeper.problem == ""

    kept(work, clock, python=str(tmp_path / "none"))


def test_a_start_goes_on_when_those_who_wait_for_it_leave() -> None:
    async def work(keeper: Keeper) -> None:
        released = asyncio.Event()

        async def wait() -> None:
            await released.wait()

        Worker.starts.append(wait)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(keeper.supervisor(), 0.01)
        released.set()

        assert await keeper.supervisor() is not None
        assert Worker.count == 1

    kept(work)


def test_a_worker_whose_folder_was_removed_is_replaced_with_a_new_folder() -> None:
    async def work(keeper: Keeper) -> None:
        first, before = await keeper.supervisor(), keeper.home()
        shutil.rmtree(before)

        assert await keeper.supervisor() is not first
        assert keeper.home() != before
        assert os.listdir(keeper.home()) == []  # noqa: PTH208 -- of a text

    kept(work)


def test_an_interpreter_that_hangs_is_ended_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "_LOOK_SECONDS_MAX", 1.0)
    Worker.starts += [refuse]
    told = tmp_path / "pid"
    hanging = tmp_path / "python"
    hanging.write_text(f"#!/bin/sh\necho $$ > {told}\nexec sleep 60\n")
    hanging.chmod(0o755)

    async def work(keeper: Keeper) -> None:
        await keeper.supervisor()
        assert "(it did not answer in 1 seconds)" in keeper.problem
        with pytest.raises(ProcessLookupError):
            os.kill(int(told.read_text()), 0)

    kept(work, python=str(hanging))


def test_a_file_that_is_there_again_is_no_problem_any_more(tmp_path: Path) -> None:
    script = tmp_path / "entrypoint.py"

    async def work(keeper: Keeper) -> None:
        await keeper.supervisor()
        assert "where no file is" in keeper.problem
        script.touch()
        assert keeper.problem == ""

    kept(work, entrypoint=str(script))


def test_a_worker_is_replaced_when_it_is_old() -> None:
    async def work(keeper: Keeper) -> None:
        first = await keeper.supervisor()
        assert await keeper.supervisor() is first
        Worker.age = 4000.0
        assert await keeper.supervisor() is not first

    kept(work)


def test_a_version_other_than_the_one_asked_for_is_a_problem() -> None:
    async def work(keeper: Keeper) -> None:
        await keeper.supervisor()
        assert keeper.problem.startswith("CDK_VERSION is 1.2.3, and ")
        assert "has airbyte-cdk 7.0.0" in keeper.problem

    kept(work, cdk_version="1.2.3")


def test_the_start_of_a_worker_counts_as_time_of_the_job_that_waits_for_it() -> None:
    async def waited() -> list[Event | Outcome]:
        Worker.starts.append(asyncio.Event().wait)
        engine = WorkerEngine()
        try:
            job = Job(command=Command.RESOLVE, manifest={}, limits=Limits(seconds=0.05))
            return [each async for each in engine.run(job)]
        finally:
            await engine.close()

    (outcome,) = asyncio.run(waited())
    assert isinstance(outcome, Outcome)
    assert outcome.failure is not None
    assert outcome.failure.kind is Kind.DEADLINE
    assert outcome.limits_reached == ("seconds",)
