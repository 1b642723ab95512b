"""The process of one job, seen from the server: started plainly here, or forked by a supervisor."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

__all__ = ["WORKER", "Ended", "Plain", "Running", "Tail", "end_of", "launch"]

WORKER = Path(__file__).parents[1] / "worker" / "__main__.py"
"""What an interpreter of the CDK is started with."""

_TAIL_BYTES_MAX = 8192
_TAIL_SECONDS_MAX = 0.5  # from a process's end to that of its pipe, which what it started may hold
_END_SECONDS_MAX = 10.0  # from the end of what a process says to its own: it unmaps memory, on a busy machine


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a process ended: `code` as of subprocess, negative for a signal; None if its supervisor died with it."""

    code: int | None
    cpu_seconds: float = 0.0
    stderr: str = ""


class Running(abc.ABC):
    """A process that runs one job."""

    is_warm: bool
    """Whether it was forked from a process that has the CDK imported."""

    @abc.abstractmethod
    def kill(self) -> None:
        """End it and what it started, now. Nothing happens if it has ended."""

    @abc.abstractmethod
    async def ended(self) -> Ended:
        """Return how it ended, once it has."""


async def end_of(running: Running) -> Ended:
    """Return how a process ended that has nothing more to say. It is killed if it lives on, and then not waited for."""
    for _ in range(2):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS_MAX):  # wait_for of Python 3.11 may lose a cancellation
                return await running.ended()
        running.kill()
    return Ended(code=None)


class Tail:
    """A pipe for what a process says, of which the last is kept: one that nobody drains would stop its writer.

    The pipe is our own, since asyncio's would be waited for: whatever the process started may hold it open.
    """

    def __init__(self) -> None:
        """Begin to read. `writing` is the end for the process, to be closed here once it has it."""
        self._reading, self.writing = os.pipe()
        self._kept = b""
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._loop.add_reader(self._reading, self._read)

    async def text(self) -> str:
        """Return the last that the process said, which has ended. No more is read afterwards."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TAIL_SECONDS_MAX):
                await self._ended.wait()
        self.close()
        return self._kept.decode(errors="replace")

    def close(self) -> None:
        """Read no more."""
        if not self._ended.is_set():
            self._ended.set()
            self._loop.remove_reader(self._reading)
            os.close(self._reading)

    def _read(self) -> None:
        data = os.read(self._reading, 65536)
        self._kept = (self._kept + data)[-_TAIL_BYTES_MAX:]
        if not data:
            self.close()


async def launch(
    command: Sequence[str], environment: Mapping[str, str], connection: socket.socket, stderr: Tail
) -> asyncio.subprocess.Process:
    """Start `command` with `connection`, whose number is its last argument. Raises OSError."""
    descriptor = connection.fileno()
    try:
        return await asyncio.create_subprocess_exec(
            *(*command, str(descriptor)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=stderr.writing,
            env=environment,
            pass_fds=(descriptor,),
            start_new_session=True,
        )
    finally:
        os.close(stderr.writing)


class Plain(Running):
    """A process started for one job."""

    is_warm = False

    def __init__(self, process: asyncio.subprocess.Process, stderr: Tail) -> None:
        """Take over a process, which leads a session of its own."""
        self._process = process
        self._stderr = stderr

    @classmethod
    async def start(cls, python: str, environment: Mapping[str, str], connection: socket.socket) -> Plain:
        """Start `python` for the job that comes on `connection`. Raises OSError if it cannot be started."""
        stderr = Tail()
        try:
            return cls(await launch((python, str(WORKER), "once"), environment, connection, stderr), stderr)
        except BaseException:
            stderr.close()
            raise

    def kill(self) -> None:
        """End the process and all of its session."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def ended(self) -> Ended:
        """Return how it ended, with the last of what it said."""
        code = await self._process.wait()
        return Ended(code=code, stderr=await self._stderr.text())
