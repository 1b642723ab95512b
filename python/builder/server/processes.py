"""Work on what a client sent, in a process of its own: it has so much time, and is killed where nobody waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile

import msgspec

from python.builder.engine.environment import PASSED_ON
from python.builder.server.problems import Problem

__all__ = ["SENTENCE", "Work", "done"]

SENTENCE = 2
"""The status of a process that says on stderr what is wrong."""

_KILLED = frozenset({-signal.SIGXCPU, -signal.SIGKILL})  # by the limits that it sets itself


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: `module` is run with `ask` on stdin. `what` begins a sentence where it takes too long."""

    module: str
    what: str
    ask: bytes
    exception: str = ""


async def done(work: Work, slots: asyncio.Semaphore, limit: float) -> bytes:
    """Return what the process writes; waiting for one of `slots` counts against the `limit`, in seconds.

    Raises Problem where it takes longer, needs more than it may have, or says in a sentence what is wrong. However
    this ends, the process is gone afterwards with all that it started, and so are its files.
    """
    try:
        async with asyncio.timeout(limit), slots:
            status, made, complaint = await _run(work)
    except TimeoutError:
        raise Problem(400, f"{work.what} took longer than {limit:g} seconds", details={"kind": "deadline"}) from None
    if status == 0:
        return made
    if status == SENTENCE:
        raise Problem(400, complaint.decode(errors="replace").strip(), exception=work.exception)
    if status in _KILLED:
        raise Problem(400, f"{work.what} took more of the processor than it may have", details={"kind": "cpu"})
    raise Problem(500, f"{work.what} failed with status {status}")


async def _run(work: Work) -> tuple[int | None, bytes, bytes]:
    with tempfile.TemporaryDirectory(prefix="headwater-builder-") as home:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", work.module),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            env={**_passed(), "HOME": home, "TMPDIR": home},
        )
        try:
            made, complaint = await process.communicate(work.ask)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return process.returncode, made, complaint


def _passed() -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}
