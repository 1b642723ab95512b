"""Containers of images, each with a name by which it is gone with the process that ran it.

An engine's client that is killed leaves its container to the daemon, where it goes on: a capture would keep reading, a
materialization storing. So each container is named for the process of its client, and removed after that.
"""

from __future__ import annotations

import contextlib
import subprocess
import uuid
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Containers", "new"]

_SHELL = "/bin/sh"  # which becomes the engine's client, so that the client's process is the one that it has counted
_REMOVAL_SECONDS_MAX = 60.0  # an engine stops a container first, for which podman gives it ten seconds


class Containers(NamedTuple):
    """The containers of one launch: `prefix` and the id of the client's process are the name of each."""

    engine: str
    prefix: str

    def command(self, image: str, options: Sequence[str]) -> tuple[str, ...]:
        """Return what runs `image` with our stdin, stdout and stderr; it removes its container where it ends itself."""
        script = f'exec "$0" run --rm --interactive --name="{self.prefix}$$" "$@"'
        return (_SHELL, "-c", script, self.engine, *options, image)

    def remove(self, process: int) -> None:
        """The container that the client `process` ran is gone, if it was still there; the client itself has ended."""
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                [self.engine, "rm", "--force", f"{self.prefix}{process}"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=_REMOVAL_SECONDS_MAX,
            )


def new(engine: str) -> Containers:
    """Return containers whose names no others have, on whichever machine the engine's daemon is."""
    return Containers(engine, f"headwater-{uuid.uuid4().hex[:12]}-")
