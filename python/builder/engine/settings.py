"""Which interpreter runs jobs, and within which bounds."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from python.builder.jobs import Json

__all__ = ["Interpreter", "Options"]


class Interpreter(msgspec.Struct, frozen=True, kw_only=True):
    """A Python that has airbyte-cdk, as `CDK_PYTHON` and its companions tell.

    `entrypoint` is a script with the contract of `airbyte_cdk/connector_builder/main.py`, which is the default.
    `cdk_version` is the version that must be there, if any. `connectors` is a folder whose sub-folders are on the path
    of each job; it is read for each, so that a new one needs no restart.
    """

    python: str = ""
    entrypoint: str | None = None
    cdk_version: str | None = None
    connectors: str | None = None

    def command(self) -> str:
        """Return the interpreter to start: by default the one that runs us."""
        return self.python or sys.executable

    def paths(self) -> list[str]:
        """Return the sub-folders of `connectors` that there are now, in order."""
        if self.connectors is None:
            return []
        return sorted(str(folder.resolve()) for folder in _folders(Path(self.connectors)))


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How an engine works. `network` is the policy for outgoing requests (`python/builder/worker/network.py`).

    `plain` starts a process for each job instead of forking a warm one. A worker older than `age_seconds_max`, or
    larger than `resident_bytes_max`, takes no new job and is replaced.
    """

    allow_custom_code: bool = False
    network: Mapping[str, Json] | None = None
    plain: bool = False
    age_seconds_max: float = 3600.0
    resident_bytes_max: int = 400 * 1024 * 1024


def _folders(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            yield from (Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except OSError:  # it may be made later
        return
