"""The engine: jobs on one interpreter, forked from a warm worker where that is possible, else started plainly."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from python.builder.engine import custom_code, outcomes
from python.builder.engine.frames import Link, SizeError, TextError
from python.builder.engine.keeping import Keeper
from python.builder.engine.processes import Plain, Running, end_of
from python.builder.engine.settings import Interpreter, Options
from python.builder.jobs import Engine, Event, Failure, Job, Json, Kind, Outcome

__all__ = ["WorkerEngine"]

_GRACE_SECONDS = 2.0  # between the deadline, when the CDK is asked to stop, and the end of its process


class _Process(NamedTuple):
    """A process for one job: what it is, the socket to it, and the folder for its files."""

    running: Running
    connection: socket.socket
    folder: str


class WorkerEngine(Engine):
    """Runs jobs on one interpreter. It is of the event loop that first uses it; its worker starts with the first job.

    A job that cannot be forked is started plainly, with the same answer; `about` tells why.
    """

    def __init__(self, interpreter: Interpreter | None = None, options: Options | None = None) -> None:
        """Start nothing yet. By default jobs run on the interpreter that runs us, without custom code."""
        self._interpreter = interpreter or Interpreter()
        self._options = options or Options()
        self._keeper = Keeper(self._interpreter, self._options)
        self._tidying: set[asyncio.Task[None]] = set()

    async def run(self, job: Job) -> AsyncIterator[Event | Outcome]:
        """Yield events and the outcome, as `Engine.run` says."""
        started = time.monotonic()
        try:
            failure = await self._refusal(job)
            if failure is not None:
                yield Outcome(failure=failure)
                return
            async with (
                self._process(started + job.limits.seconds - time.monotonic()) as process,
                contextlib.aclosing(self._conversation(job, process, started)) as said,
            ):
                async for told in said:
                    yield told
        except TimeoutError:
            message = f"the deadline of {job.limits.seconds:g} seconds was over before the worker had started"
            yield Outcome(failure=Failure(kind=Kind.DEADLINE, message=message), limits_reached=("seconds",))
        except OSError as error:
            yield Outcome(failure=Failure(kind=Kind.WORKER, message=f"no process could be started: {error}"))

    async def about(self) -> Mapping[str, Json]:
        """Return what health tells; the worker is started for it, so that the first job finds it warm."""
        supervisor = await self._keeper.supervisor()
        told: dict[str, Json] = {
            "cdk_version": self._keeper.versions.get("cdk_version"),
            "python": self._keeper.versions.get("python"),
            "interpreter": self._interpreter.command(),
            "warm": supervisor is not None,
        }
        if self._keeper.problem:
            told["problem"] = self._keeper.problem
        if supervisor is None:
            return {**told, "why_not_warm": self._keeper.why_cold}
        return {
            **told,
            "pid": supervisor.pid,
            "age_seconds": round(supervisor.age_seconds(), 3),
            "resident_bytes": supervisor.resident_bytes(),
        }

    async def close(self) -> None:
        """End the worker and its jobs, and remove their files."""
        await self._keeper.close()
        await asyncio.gather(*self._tidying, return_exceptions=True)

    async def _refusal(self, job: Job) -> Failure | None:
        """Return why `job` cannot run here, once there is a worker. Raises TimeoutError if its time is over first."""
        refusal = None if self._options.allow_custom_code else custom_code.refusal(job)
        if refusal is not None:
            return refusal
        async with asyncio.timeout(job.limits.seconds):
            await self._keeper.supervisor()
        return Failure(kind=Kind.WORKER, message=self._keeper.problem) if self._keeper.problem else None

    @contextlib.asynccontextmanager
    async def _process(self, seconds: float) -> AsyncIterator[_Process]:
        """Within, there is a process for one job; afterwards neither it nor its files. Raises OSError, TimeoutError."""
        folder = tempfile.mkdtemp(prefix="job-", dir=self._keeper.home())
        running: Running | None = None
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                async with asyncio.timeout(seconds):
                    running = await self._started(theirs, folder)
            yield _Process(running, ours, folder)
        finally:
            ours.close()
            if running is not None:
                running.kill()
            await asyncio.shield(self._tidied(running, folder))

    async def _started(self, connection: socket.socket, folder: str) -> Running:
        """Return a new process that has `connection`. Raises OSError."""
        supervisor = await self._keeper.supervisor()
        if supervisor is not None:
            try:
                return supervisor.fork(connection)
            except ConnectionError:  # it has died since it was last seen
                supervisor = await self._keeper.supervisor()
        if supervisor is not None:
            return supervisor.fork(connection)
        return await Plain.start(self._interpreter.command(), self._keeper.environment(folder), connection)

    async def _conversation(self, job: Job, process: _Process, started: float) -> AsyncGenerator[Event | Outcome, None]:
        """Yield what the process says; if it ends without an outcome, why, and what it had told by then."""
        collected, link = outcomes.Collected(), await Link.open(process.connection)
        running, late = process.running, asyncio.Event()
        deadline = started + job.limits.seconds + _GRACE_SECONDS
        clock = asyncio.get_running_loop().call_later(deadline - time.monotonic(), _end, running, late)
        try:
            link.send(self._request(job, process.folder, started))
            async for told in link.frames(job.limits.result_bytes, deadline):
                if told["kind"] == "outcome":
                    yield outcomes.outcome_of(told["data"], warm=running.is_warm)
                    return
                event = Event(**told["data"])
                collected.add(event)
                yield event
        except TimeoutError:
            _end(running, late)
        except SizeError as error:
            yield Outcome(failure=Failure(kind=Kind.SIZE, message=str(error)), limits_reached=("result_bytes",))
            return
        except TextError as error:
            yield Outcome(failure=Failure(kind=Kind.MANIFEST, message=str(error)))
            return
        except RecursionError:
            yield Outcome(failure=Failure(kind=Kind.MANIFEST, message="the manifest or config is nested too deeply"))
            return
        finally:
            clock.cancel()
            link.close()
        failure, reached = outcomes.lost(job, await end_of(running), late=late.is_set())
        yield Outcome(result=collected.result(job), failure=failure, limits_reached=reached, warm=running.is_warm)

    def _request(self, job: Job, folder: str, started: float) -> dict[str, Json]:
        """Return the frame that tells a worker its job."""
        told: dict[str, Json] = msgspec.to_builtins(job)
        folders = {name: str(Path(told[name]).resolve()) for name in ("record", "replay") if told[name] is not None}
        return {
            **told,
            **folders,
            "allow_custom_code": self._options.allow_custom_code,
            "cdk_major": int(self._keeper.versions["cdk_version"].split(".")[0]),
            "entrypoint": self._interpreter.entrypoint,
            "folder": folder,
            "network": self._options.network,
            "paths": self._interpreter.paths(),
            "server": os.getpid(),
            "started": started,
        }

    async def _tidied(self, running: Running | None, folder: str) -> None:
        task = asyncio.create_task(_tidy(running, folder))
        self._tidying.add(task)
        task.add_done_callback(self._tidying.discard)
        await asyncio.shield(task)


def _end(running: Running, late: asyncio.Event) -> None:
    """End a process whose time is over, whether or not anybody reads what it says."""
    late.set()
    running.kill()


async def _tidy(running: Running | None, folder: str) -> None:
    """Remove a job's files once its process can make no more of them."""
    if running is not None:
        await end_of(running)
    shutil.rmtree(folder, ignore_errors=True)
