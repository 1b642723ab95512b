"""An image run by buildah, which makes a container, runs a command in it, and keeps both until it is told otherwise.

    python -m python.runner.buildah BUILDAH IMAGE [--env NAME=VALUE ...]

Runs the image's entrypoint with our stdin, stdout and stderr, and exits as it does. BUILDAH_ISOLATION is buildah's own.
Asked to stop, buildah ends the entrypoint at once instead of asking it: what the connector had not checkpointed is then
captured again by the next run, as after a crash.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence

__all__ = ["main"]

_PREFIX = "headwater-"  # then the id of the process that owns the container


def main(arguments: Sequence[str]) -> int:
    """Return the exit status of the image's entrypoint, or 1 after a sentence on stderr where it cannot be run."""
    buildah, image, *options = arguments
    try:
        _sweep(buildah)
        with _container(buildah, image) as name:
            return _run([buildah, "run", *options, name, "--", *_entrypoint(buildah, image)])
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or [f"exit status {error.returncode}"])[-1]
        sys.stderr.write(f"{' '.join(error.cmd[:2])} failed for the image {image}: {reason}\n")
        return 1


def _run(command: Sequence[str]) -> int:
    """Run `command` to its end and pass signals on, so that its container is removed whatever ends it."""
    with subprocess.Popen(command) as process:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda asked, _frame: process.send_signal(asked))
        status = process.wait()
    return status if status >= 0 else 128 - status


@contextlib.contextmanager
def _container(buildah: str, image: str) -> Iterator[str]:
    name = f"{_PREFIX}{os.getpid()}"
    _output(buildah, "from", "--name", name, image)
    try:
        yield name
    finally:
        _output(buildah, "rm", name)


def _entrypoint(buildah: str, image: str) -> list[str]:
    config = json.loads(_output(buildah, "inspect", "--type", "image", image))["OCIv1"]["config"]
    return [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]


def _sweep(buildah: str) -> None:
    """Remove what runs that were killed have left."""
    for found in json.loads(_output(buildah, "containers", "--json") or "null") or ():
        owner = found["containername"].removeprefix(_PREFIX)
        if owner != found["containername"] and not _alive(owner):
            _output(buildah, "rm", found["containername"])


def _alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
