"""An image run by buildah, which makes a container, runs a command in it, and keeps both until it is told otherwise.

    python -m python.runner.buildah BUILDAH IMAGE [--env NAME=VALUE ...]

Runs the image's entrypoint with our stdin, stdout and stderr, and exits as it does. BUILDAH_ISOLATION is buildah's own.
Asked to stop, buildah would end the entrypoint at once, and its last words would be its own. So a SIGTERM or SIGINT is
passed to the entrypoint, which stops as it would in any engine, and what buildah says of its processes is left out.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence

__all__ = ["main"]

_PREFIX = "headwater-"  # then the id of the process that owns the container
_COPIES = "/memfd:buildah"  # how Linux names a program that lies in memory
_OWN_WORDS = re.compile(rb"(subprocess exited (on|with status) \w+|Error: exit status \d+)\s*")


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
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda asked, _frame: _ask(process.pid, asked))
        for line in process.stderr or ():
            if not _OWN_WORDS.fullmatch(line):
                sys.stderr.buffer.write(line)
                sys.stderr.buffer.flush()
        status = process.wait()
    return status if status >= 0 else 128 - status


def _ask(buildah: int, number: int) -> None:
    """The entrypoint that the process `buildah` runs has got the signal; where it has not started, buildah has."""
    for process in list(_inside(buildah, _program(buildah))) or [buildah]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


def _inside(owner: int, program: str) -> Iterator[int]:
    """Yield the nearest descendants of `owner` that run another program: buildah runs itself, or copies of itself."""
    for children in pathlib.Path(f"/proc/{owner}/task").glob("*/children"):
        try:
            found = children.read_text().split()
        except OSError:  # that thread has ended
            continue
        for child in map(int, found):
            own = _program(child) == program or _program(child).startswith(_COPIES)
            yield from _inside(child, program) if own else (child,)


def _program(process: int) -> str:
    try:
        return str(pathlib.Path(f"/proc/{process}/exe").readlink())
    except OSError:  # it has ended
        return ""


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
