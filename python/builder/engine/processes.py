"""The process of one job, seen from the server: started plainly here, or forked by a supervisor."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

import msgspec

__all__ = ["WORKER", "Ended", "Plain", "Running", "Tail", "end_of"]

WORKER = Path(__file__).parents[1] / "worker" / "__main__.py"
"""What an interpreter of the CDK is started with."""

_TAIL_BYTES_MAX = 8192
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
            return await asyncio.wait_for(running.ended(), _END_SECONDS_MAX)
        running.kill()
    return Ended(code=None)


class Tail:
    """Reads a stream to its end, and keeps what came last: a pipe that nobody drains would stop its writer."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        """Begin to read."""
        self._kept = b""
        self._reading = asyncio.create_task(self._read(stream))

    async def text(self) -> str:
        """Return the last of it, once the stream has ended."""
        await self._reading
        return self._kept.decode(errors="replace")

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while data := await stream.read(65536):
            self._kept = (self._kept + data)[-_TAIL_BYTES_MAX:]


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
        descriptor = connection.fileno()
        process = await asyncio.create_subprocess_exec(
            python,
            str(WORKER),
            "once",
            str(descriptor),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            pass_fds=(descriptor,),
            start_new_session=True,
        )
        assert process.stderr is not None, "it was asked for"  # noqa: S101 -- for the type checker
        return cls(process, Tail(process.stderr))

    def kill(self) -> None:
        """End the process and all of its session."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def ended(self) -> Ended:
        """Return how it ended, with the last of what it said."""
        code = await self._process.wait()
        return Ended(code=code, stderr=await self._stderr.text())
