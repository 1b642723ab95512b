"""The files that a tap is given: nobody else can read them, and they are gone however it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from python.protocol import document
from python.protocol.errors import ConnectorError, DocumentError

__all__ = ["PrivateFolder", "private_folder"]

# A process that waits for our end. We tell it the tap's process group, and last that we have cleaned up; a pipe that
# closes before that says that we were killed, and it does both instead: end the tap, and delete what it was given.
_SHELL = "/bin/sh"
_GUARD = """
trap '' TERM INT HUP
read -r group
read -r ended && exit 0
[ -n "$group" ] && kill -s TERM -- "-$group" 2>/dev/null
rm -rf -- "$1"
"""


class PrivateFolder:
    """A folder of mode 0700; its files have mode 0600. Made by `private_folder`."""

    def __init__(self, path: Path, guard: int) -> None:
        self.path = path
        self._guard = guard

    def write(self, name: str, value: object) -> str:
        """Return the path of a new file with `value` as JSON, every digit kept."""
        path = self.path / name
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(fd, "wb") as file:  # noqa: PTH123 -- a descriptor, made with its mode
            file.write(document.encode(value))
        return str(path)

    def changed(self, name: str, value: object) -> list[str]:
        """Return the members of `value` that the file `name`, which held it, now tells otherwise."""
        with contextlib.suppress(OSError, DocumentError):
            now = document.decode((self.path / name).read_bytes())
            before = document.decode(document.encode(value))
            if isinstance(now, dict) and isinstance(before, dict):
                return sorted(member for member in {**before, **now} if before.get(member) != now.get(member))
        return []

    def belongs_to(self, group: int) -> None:
        """Where this process is killed, the process group `group` is ended, too."""
        os.write(self._guard, b"%d\n" % group)


@contextlib.contextmanager
def private_folder(files: Mapping[str, object]) -> Iterator[PrivateFolder]:
    """Within, `files` are JSON files, by name, in a folder of their own; afterwards, all of it is gone.

    So it is where this process is killed: another one, which does nothing else, then does it.
    """
    path = Path(tempfile.mkdtemp(prefix="headwater-tap-"))
    guard = _guard(path)
    assert guard.stdin  # noqa: S101 -- Popen was asked for a pipe
    writer = guard.stdin.fileno()
    try:
        folder = PrivateFolder(path, writer)
        for name, value in files.items():
            folder.write(name, value)
        yield folder
    finally:
        shutil.rmtree(path, ignore_errors=True)
        with contextlib.suppress(BrokenPipeError):
            os.write(writer, b"\nended\n")
        guard.stdin.close()
        guard.wait()


def _guard(path: Path) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [_SHELL, "-c", _GUARD, "headwater-guard", str(path)],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        path.rmdir()
        raise ConnectorError(f"cannot start {_SHELL}, which guards the files of taps: {error.strerror}") from None
