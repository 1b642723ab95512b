"""The server's end of a warm worker: a supervisor process that forks a child for each job."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from python.builder.engine.processes import WORKER, Ended, Running, Tail, launch

__all__ = ["ColdError", "Supervisor"]

_READY_SECONDS_MAX = 60.0  # importing takes 1.2 s; a network file system, or the first run without byte code, more
_CLOSE_SECONDS_MAX = 5.0


class ColdError(Exception):
    """No warm worker can be had from this interpreter; the text says why."""


class Supervisor:
    """A running supervisor. It ends when `close` is called, and when this process ends, however it ends."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket, stderr: Tail) -> None:
        """Take over what `start` has started."""
        self.pid = process.pid
        self.started = time.monotonic()
        self.versions: Mapping[str, str] = {}
        self._process = process
        self._control = control
        self._stderr = stderr
        self._ends: dict[str, asyncio.Future[Ended]] = {}
        self._number = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._hearing = asyncio.create_task(self._hear())
        self._hearing.add_done_callback(lambda _: self._lose())  # however it ends: by EOF, a failed fork, `close`

    @classmethod
    async def start(cls, python: str, environment: Mapping[str, str]) -> Supervisor:
        """Return a supervisor that has the CDK imported. Raises ColdError."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003 -- the standard library has no name for it
        stderr = Tail()
        with theirs:
            try:
                process = await launch((python, str(WORKER), "supervise"), environment, theirs, stderr)
            except BaseException as error:
                ours.close()
                stderr.close()
                if isinstance(error, OSError):
                    raise ColdError(f"{python} cannot be started: {error.strerror}") from error
                raise
        supervisor = cls(process, ours, stderr)
        try:
            async with asyncio.timeout(_READY_SECONDS_MAX):
                await asyncio.shield(supervisor._ready)
        except BaseException as error:
            await supervisor.close()
            if isinstance(error, TimeoutError):
                raise ColdError(f"importing airbyte_cdk takes more than {_READY_SECONDS_MAX:.0f} seconds") from error
            raise
        return supervisor

    @property
    def is_alive(self) -> bool:
        """Whether it still takes jobs."""
        return not self._hearing.done() and not self._hearing.cancelling()

    def age_seconds(self) -> float:
        """Return the time since it was started."""
        return time.monotonic() - self.started

    def resident_bytes(self) -> int:
        """Return the memory that it holds, 0 where the system does not tell."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        except OSError:
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def fork(self, connection: socket.socket) -> Running:
        """Start a child for the job that comes on `connection`. Raises ConnectionError if the supervisor has died."""
        self._number += 1
        number = str(self._number)
        ended = self._ends[number] = asyncio.get_running_loop().create_future()
        try:
            socket.send_fds(self._control, [f"job {number}\n".encode()], [connection.fileno()])
        except OSError as error:
            del self._ends[number]
            self._hearing.cancel()
            raise ConnectionError("the worker has died") from error
        self._idle.clear()
        return _Forked(self, number, ended)

    def kill(self, number: str) -> None:
        """End a child that has not ended."""
        if number in self._ends:
            with contextlib.suppress(OSError):  # it is dead, and so are its children
                self._control.send(f"kill {number}\n".encode())

    async def idle(self) -> None:
        """Wait until it has no child."""
        await self._idle.wait()

    async def close(self) -> None:
        """End it, and all its children."""
        self._hearing.cancel()
        self._control.close()
        self._stderr.close()
        self._lose()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS_MAX):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            await self._process.wait()

    async def _hear(self) -> None:
        rest = b""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while data := await loop.sock_recv(self._control, 65536):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._heard(json.loads(line))
        if not self._ready.done():
            text = (await self._stderr.text()).strip()
            self._ready.set_exception(ColdError(f"the worker ended at its start: {text[-500:] or 'it said nothing'}"))

    def _heard(self, told: Mapping[str, Any]) -> None:
        if "ready" in told:
            self.versions = told["ready"]
            self._ready.set_result(None)
        elif "failed" in told:
            self._ready.set_exception(ColdError(told["failed"]["why"]))
        else:
            ended = self._ends.pop(told["ended"], None)
            if not self._ends:
                self._idle.set()
            if ended is not None and not ended.done():
                ended.set_result(Ended(code=told["code"], cpu_seconds=told["cpu_seconds"]))

    def _lose(self) -> None:
        """Tell those who wait that their children have died with the supervisor."""
        for ended in self._ends.values():
            if not ended.done():
                ended.set_result(Ended(code=None))
        self._ends.clear()
        self._idle.set()


class _Forked(Running):
    """A child of a supervisor."""

    is_warm = True

    def __init__(self, supervisor: Supervisor, number: str, ended: asyncio.Future[Ended]) -> None:
        self._supervisor = supervisor
        self._number = number
        self._ended = ended

    def kill(self) -> None:
        self._supervisor.kill(self._number)

    async def ended(self) -> Ended:
        return await asyncio.shield(self._ended)
