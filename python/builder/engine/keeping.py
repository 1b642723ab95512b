"""Keeping one warm worker for an interpreter: started when first wanted, replaced when dead, old or large."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from python.builder.engine import environment
from python.builder.engine.home import Home
from python.builder.engine.pausing import Pause
from python.builder.engine.settings import Interpreter, Options
from python.builder.engine.supervision import ColdError, Supervisor

__all__ = ["Keeper"]

_LOOK = (
    "import importlib.metadata, json, platform, sys\n"
    "print(json.dumps({'cdk_version': importlib.metadata.version('airbyte-cdk'), 'python': platform.python_version()}))"
)
_LOOK_SECONDS_MAX = 30.0


class Keeper:
    """The worker of one interpreter, and what is known of the interpreter.

    What fails is tried again, by a request after a pause that grows; whoever waits for it may leave without ending it.
    """

    def __init__(self, interpreter: Interpreter, options: Options, now: Callable[[], float] = time.monotonic) -> None:
        """Start nothing yet."""
        self.versions: Mapping[str, str] = {}
        self._never_warm = _never_warm(options)
        self._cold = ""
        self._unusable = ""
        self._pause = Pause(now)
        self._interpreter = interpreter
        self._options = options
        self._supervisor: Supervisor | None = None
        self._trying: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._home: Home | None = None

    @property
    def problem(self) -> str:
        """Why no job can run at all, empty if jobs can."""
        return f"{self._unusable} ({self._pause.text()})" if self._unusable else self._mismatch()

    @property
    def why_cold(self) -> str:
        """Why there is no warm worker, empty if there is one, or will be with the next job."""
        return self._never_warm or (f"{self._cold} ({self._pause.text()})" if self._cold else "")

    def home(self) -> str:
        """Return the private folder in which all files of this interpreter's jobs are made. Raises OSError."""
        if self._home is not None and not self._home.exists():
            self._in_background(asyncio.to_thread(self._home.close))
            self._home = None
        if self._home is None:
            self._home = Home()
        return self._home.path

    def environment(self, folder: str) -> dict[str, str]:
        """Return the environment of a process whose home is `folder`."""
        return environment.of_worker(
            os.environ, self._interpreter.paths(), allow_custom_code=self._options.allow_custom_code, folder=folder
        )

    async def supervisor(self) -> Supervisor | None:
        """Return a worker that takes jobs, or None where each job needs a process of its own.

        The first start is waited for; one that is tried again is not, since jobs can do without.
        """
        current = self._supervisor
        if current is not None and self._is_spent(current):
            self._supervisor = None
            self._in_background(self._retired(current))
        if self._trying is None and self._lacks() and not self._pause.left_seconds():
            self._trying = asyncio.create_task(self._try())
        if self._trying is not None and not self._pause.failures:
            await asyncio.shield(self._trying)
        return self._supervisor

    async def close(self) -> None:
        """End every worker, and remove every file."""
        tasks = [*self._retiring, *([] if self._trying is None else [self._trying])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._supervisor is not None:
            await self._supervisor.close()
        self._supervisor = None
        if self._home is not None:
            await asyncio.to_thread(self._home.close)
        self._home = None

    def _lacks(self) -> bool:
        """Whether there is no worker, and one might be had or more be known of the interpreter."""
        return self._supervisor is None and not (self._never_warm and self.versions and not self.problem)

    def _is_spent(self, supervisor: Supervisor) -> bool:
        return (
            not supervisor.is_alive
            or (self._home is not None and not self._home.exists())  # it has its own files there
            or supervisor.age_seconds() > self._options.age_seconds_max
            or supervisor.resident_bytes() > self._options.resident_bytes_max
        )

    async def _try(self) -> None:
        """Start a worker, or learn what can be known without one; note what fails."""
        try:
            if not self._never_warm:
                await self._start()
            if self._supervisor is None:
                await self._look()
            if self._cold or self._unusable or self._mismatch():
                self._pause.fail()
            else:
                self._pause.end()
        finally:
            self._trying = None

    async def _start(self) -> None:
        try:
            self._supervisor = await Supervisor.start(self._interpreter.command(), self.environment(self.home()))
        except (ColdError, OSError) as error:
            self._cold = str(error)
        else:
            self._cold = self._unusable = ""
            self.versions = self._supervisor.versions

    async def _look(self) -> None:
        """Learn the versions of an interpreter that has no warm worker."""
        command = self._interpreter.command()
        try:
            self.versions = await _looked(command, self.environment(self.home()))
        except (OSError, ValueError) as error:
            self._unusable = f"{command} is no Python that has airbyte-cdk ({error}): set CDK_PYTHON to one"
        else:
            self._unusable = ""

    def _mismatch(self) -> str:
        """Return what of the interpreter is not as it was asked for."""
        command, entrypoint = self._interpreter.command(), self._interpreter.entrypoint
        if entrypoint is not None and not Path(entrypoint).is_file():
            return f"CDK_ENTRYPOINT is {entrypoint}, where no file is"
        wanted, found = self._interpreter.cdk_version, self.versions.get("cdk_version")
        if not wanted or not found or wanted == found:
            return ""
        return (
            f"CDK_VERSION is {wanted}, and {command} has airbyte-cdk {found}: "
            "change either, so that nobody is told of a version that does not run"
        )

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _retired(self, supervisor: Supervisor) -> None:
        """End a worker that takes no new jobs, once it has no more."""
        try:
            await supervisor.idle()
        finally:
            await supervisor.close()


def _never_warm(options: Options) -> str:
    """Return why there can be no warm worker, empty if there can."""
    if options.plain:
        return "a process for each job was asked for (HEADWATER_BUILDER_PLAIN)"
    return "" if hasattr(os, "fork") else "this system has no fork"


async def _looked(command: str, variables: Mapping[str, str]) -> Mapping[str, str]:
    """Return the versions that `command` tells. Raises OSError, and ValueError, with what is wrong."""
    process = await asyncio.create_subprocess_exec(
        *(command, "-c", _LOOK),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=variables,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_LOOK_SECONDS_MAX):
            output, errors = await process.communicate()
    except TimeoutError:
        raise TimeoutError(f"it did not answer in {_LOOK_SECONDS_MAX:g} seconds") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # a script that starts the real one, too
            await process.wait()
    try:
        told: dict[str, str] = json.loads(output)
    except ValueError:
        said = errors.decode(errors="replace").strip().rpartition("\n")[2]
        raise ValueError(said or "it told no version") from None
    return told
