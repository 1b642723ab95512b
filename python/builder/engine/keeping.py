"""Keeping one warm worker for an interpreter: started when first wanted, replaced when dead, old or large."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

from python.builder.engine import environment
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

    `problem` tells why no job can run at all, `why_cold` why there is no warm worker: either is empty if all is well.
    """

    def __init__(self, interpreter: Interpreter, options: Options) -> None:
        """Start nothing yet."""
        self.versions: Mapping[str, str] = {}
        self.problem = ""
        self.why_cold = "a process for each job was asked for (HEADWATER_BUILDER_PLAIN)" if options.plain else ""
        self._interpreter = interpreter
        self._options = options
        self._supervisor: Supervisor | None = None
        self._starting = asyncio.Lock()
        self._retiring: set[asyncio.Task[None]] = set()
        self._home: tempfile.TemporaryDirectory[str] | None = None

    def home(self) -> str:
        """Return the private folder in which all files of this interpreter's jobs are made."""
        if self._home is None:
            self._home = tempfile.TemporaryDirectory(prefix="headwater-builder-", ignore_cleanup_errors=True)
        return self._home.name

    def environment(self, folder: str) -> dict[str, str]:
        """Return the environment of a process whose home is `folder`."""
        return environment.of_worker(
            os.environ, self._interpreter.paths(), allow_custom_code=self._options.allow_custom_code, folder=folder
        )

    async def supervisor(self) -> Supervisor | None:
        """Return a worker that takes jobs, or None where each job needs a process of its own."""
        async with self._starting:
            current = self._supervisor
            if current is not None and self._is_spent(current):
                self._supervisor = None
                self._in_background(self._retired(current))
            if self._supervisor is None and not self.why_cold:
                await self._start()
            if not self.versions and not self.problem:
                await self._look()
            return self._supervisor

    async def close(self) -> None:
        """End every worker, and remove every file."""
        if self._supervisor is not None:
            await self._supervisor.close()
        self._supervisor = None
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        if self._home is not None:
            await asyncio.to_thread(self._home.cleanup)
        self._home = None

    def _is_spent(self, supervisor: Supervisor) -> bool:
        return (
            not supervisor.is_alive
            or supervisor.age_seconds() > self._options.age_seconds_max
            or supervisor.resident_bytes() > self._options.resident_bytes_max
        )

    async def _start(self) -> None:
        try:
            self._supervisor = await Supervisor.start(self._interpreter.command(), self.environment(self.home()))
        except ColdError as error:
            self.why_cold = str(error)
        else:
            self._know(self._supervisor.versions)

    async def _look(self) -> None:
        """Learn the versions of an interpreter that has no warm worker."""
        command, errors = self._interpreter.command(), b""
        try:
            process = await asyncio.create_subprocess_exec(
                *(command, "-c", _LOOK),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self.environment(self.home()),
            )
            output, errors = await asyncio.wait_for(process.communicate(), _LOOK_SECONDS_MAX)
            self._know(json.loads(output))
        except (OSError, ValueError, TimeoutError) as error:
            said = (
                errors.decode(errors="replace").strip().rpartition("\n")[2] if isinstance(error, ValueError) else error
            )
            self.problem = f"{command} is no Python that has airbyte-cdk ({said}): set CDK_PYTHON to one"

    def _know(self, versions: Mapping[str, str]) -> None:
        self.versions = versions
        wanted, found = self._interpreter.cdk_version, versions["cdk_version"]
        if wanted and wanted != found:
            self.problem = (
                f"CDK_VERSION is {wanted}, and {self._interpreter.command()} has airbyte-cdk {found}: "
                "change either, so that nobody is told of a version that does not run"
            )
        entrypoint = self._interpreter.entrypoint
        if entrypoint is not None and not Path(entrypoint).is_file():
            self.problem = f"CDK_ENTRYPOINT is {entrypoint}, where no file is"

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
