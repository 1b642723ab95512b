"""What routes share: the engine, manifest and masker of a request, and jobs that are run while its client waits."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import PurePath
from typing import Any

import msgspec

from python.builder.jobs import Engine, Event, Failure, Job, Json, Kind, Limits, Outcome
from python.builder.manifests.cdk import Cdk
from python.builder.manifests.findings import Finding
from python.builder.server.engines import Engines, allowed
from python.builder.server.problems import Problem
from python.builder.server.results import as_problem, masked_result, stream_read
from python.builder.server.settings import Settings
from python.builder.worker.masking import Masker

__all__ = ["Reading", "Service", "Told", "unexpected"]

_GRACE_SECONDS = 15.0  # an engine keeps deadlines itself; one that does not must not keep a client for ever
_WAITING_SECONDS = 15.0  # proxies close connections on which nothing comes for longer
_QUEUED_MAX = 64  # events of a client that reads slowly
_LOOKS_MAX = 2  # processes at once that look a large manifest over: each may take a processor
_EXPORTS_MAX = 2  # each starts a connector, and both may take gigabytes
_SECONDS_MIN = 0.1  # of a job whose turn comes at the last moment
_WAITING_MAX = 32  # jobs; more would not come to their turn within their deadlines


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What happens while streams are read: an event of the engine, at last `result` or `error`; `waiting` between."""

    event: str
    stream: str = ""
    data: Json = None
    status: int = 200

    @property
    def is_last(self) -> bool:
        """Whether the stream is done."""
        return self.event in ("result", "error")


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A test read to be run: `found` in its manifest is told before its own logs, `refused` shapes an error.

    The worker has masked what comes. `masker` masks once more: results and events by the values of the config alone,
    since they may be large; errors, which may be our own, by place, too.
    """

    job: Job
    engine: Engine
    found: Sequence[Finding]
    masker: Masker
    refused: Callable[[Problem], Json]


class Service:
    """The engines of one server, and how much may run at once: jobs on them, `looks` and `exports`."""

    def __init__(self, settings: Settings, engines: Engines) -> None:
        self.settings = settings
        self.engines = engines
        self.looks = asyncio.Semaphore(_LOOKS_MAX)
        self.exports = asyncio.Semaphore(_EXPORTS_MAX)
        self._slots = asyncio.Semaphore(settings.jobs_max)
        self._waiting = 0

    async def cdk(self, name: str) -> Cdk:
        """Return what the CDK of an engine allows."""
        return await asyncio.to_thread(allowed, self.settings, name)

    async def outcome(self, engine: Engine, job: Job, happened: Callable[[Event], Any] | None = None) -> Outcome:
        """Return what a job came to; `happened` is awaited for each event before. Cancelling ends the job."""
        async with self._turn(job) as limits:
            try:
                async with asyncio.timeout(limits.seconds + _GRACE_SECONDS):
                    return await _last(engine, msgspec.structs.replace(job, limits=limits), happened)
            except TimeoutError:
                message = f"the worker did not keep the deadline of {job.limits.seconds:g} seconds"
                return Outcome(failure=Failure(kind=Kind.DEADLINE, message=message), limits_reached=("seconds",))

    @asynccontextmanager
    async def _turn(self, job: Job) -> AsyncIterator[Limits]:
        """Within, the job has a slot. Given are its limits without the time that it waited.

        Raises Problem where too many wait already, or its turn does not come before its deadline.
        """
        if not self._slots.locked():
            async with self._slots:
                yield job.limits
            return
        running = f"{self.settings.jobs_max} jobs are running"
        if self._waiting >= _WAITING_MAX:
            raise Problem(503, f"{running}, and {self._waiting} wait: ask again later", headers={"Retry-After": "10"})
        now = asyncio.get_running_loop().time
        until = now() + job.limits.seconds
        self._waiting += 1
        try:
            async with asyncio.timeout_at(until):
                await self._slots.acquire()
        except TimeoutError:
            message = f"{running}, and none ended within the deadline of {job.limits.seconds:g} seconds"
            raise Problem(503, message, details={"kind": "deadline"}) from None
        finally:
            self._waiting -= 1
        try:
            yield msgspec.structs.replace(job.limits, seconds=max(until - now(), _SECONDS_MIN))
        finally:
            self._slots.release()

    async def result(self, engine: Engine, job: Job, masker: Masker) -> Json:
        """Return the result of a job that is no read. Raises Problem where there is none."""
        outcome = await self.outcome(engine, job)
        if outcome.result is None:
            assert outcome.failure is not None  # noqa: S101 -- an outcome has one of them
            raise as_problem(_masked(outcome.failure, masker), job.command, outcome.limits_reached)
        return outcome.result

    async def reads(self, readings: Sequence[Reading], *, live: bool) -> AsyncGenerator[Told, None]:
        """Yield what happens in all readings at once, each one's last being its result or error.

        Without `live`, nothing but those. Closing the generator ends every job.
        """
        queue: asyncio.Queue[Told] = asyncio.Queue(_QUEUED_MAX)
        few = asyncio.Semaphore(max(1, self.settings.jobs_max // 2))  # the other slots are for other requests

        async def read(reading: Reading) -> None:
            async with few:
                await self._read(reading, queue, live=live)

        tasks = [asyncio.create_task(read(each)) for each in readings]
        left = len(tasks)
        try:
            while left:
                told = await _next(queue)
                left -= told.is_last
                yield told
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, reading: Reading, queue: asyncio.Queue[Told], *, live: bool) -> None:
        stream = reading.job.stream

        async def happened(event: Event) -> None:
            await queue.put(Told(event=event.kind, stream=stream, data=reading.masker.mask(event.data, by_place=False)))

        try:
            outcome = await self.outcome(reading.engine, reading.job, happened if live else None)
            await queue.put(
                Told(event="result", stream=stream, data=await asyncio.to_thread(_result, reading, outcome))
            )
        except Problem as problem:
            data = reading.masker.mask(reading.refused(problem))
            await queue.put(Told(event="error", stream=stream, data=data, status=problem.status))
        except Exception as error:  # noqa: BLE001 -- the client is waiting for an answer, whatever breaks
            await queue.put(Told(event="error", stream=stream, data=reading.refused(unexpected(error)), status=500))


async def _next(queue: asyncio.Queue[Told]) -> Told:
    try:
        async with asyncio.timeout(_WAITING_SECONDS):  # wait_for of Python 3.11 may lose a cancellation
            return await queue.get()
    except TimeoutError:
        return Told(event="waiting")


def _result(reading: Reading, outcome: Outcome) -> Json:
    if outcome.result is None and outcome.failure is not None and outcome.failure.kind is not Kind.DEADLINE:
        raise as_problem(outcome.failure, reading.job.command, outcome.limits_reached)
    return masked_result(stream_read(outcome, reading.found), reading.masker)


async def _last(engine: Engine, job: Job, happened: Callable[[Event], Any] | None) -> Outcome:
    happening = engine.run(job)
    try:
        async for each in happening:
            if isinstance(each, Outcome):
                return each
            if happened is not None:
                await happened(each)
    finally:
        if isinstance(happening, AsyncGenerator):  # then it holds a process until it is closed
            await happening.aclose()
    return Outcome(failure=Failure(kind=Kind.WORKER, message="the worker ended without an answer"))


def _masked(failure: Failure, masker: Masker) -> Failure:
    """Return a failure without secrets."""
    texts = {name: masker.text(getattr(failure, name)) for name in ("message", "internal", "stack")}
    return msgspec.structs.replace(failure, **texts)


def unexpected(error: Exception) -> Problem:
    """Return the answer to what only a defect of ours can cause, and log where: never what, which may be a secret."""
    kind = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    places = ", ".join(f"{PurePath(each.filename).name}:{each.lineno}" for each in frames[-5:])
    logging.getLogger("headwater.builder").error("%s at %s", kind, places)
    return Problem(500, f"the server failed ({kind}); its log says where", exception=kind)
