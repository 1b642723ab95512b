"""Connectors as a revision of git has them, run in a tree of their own."""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator

import msgspec

from python.importing.repository import Repository
from python.protocol.errors import HeadwaterError
from python.runner.drive import Launch

__all__ = ["exported", "in_tree"]


@contextlib.contextmanager
def exported(revision: str, cwd: pathlib.Path) -> Iterator[pathlib.Path]:
    """A folder with all that `revision` has of the folder `cwd` and below; it is gone after the `with`."""
    content = Repository(cwd).run("archive", "--format=tar", revision, ".")
    with tempfile.TemporaryDirectory(prefix="headwater-") as folder:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            archive.extractall(folder, filter="data")
        yield pathlib.Path(folder)


def in_tree(launch: Launch, tree: pathlib.Path, folder: pathlib.Path) -> Launch:
    """Return `launch` such that it runs the code in `tree`, which has the connector in `folder`.

    Its environment is the one of the same folder here where the lock files agree; else it is made, which takes a while.
    """
    here = pathlib.Path.cwd() / folder.relative_to(tree)
    same = _lock(here) == _lock(folder)
    binaries = here / ".venv" / "bin" if same else _made(tree, folder)
    own = pathlib.Path(sys.executable).parent  # connectors without an environment of their own are in ours
    first = binaries if binaries.is_dir() else own
    path = os.pathsep.join([str(first), launch.env.get("PATH", os.environ.get("PATH", ""))])
    code = os.pathsep.join([str(tree), str(folder)])
    return msgspec.structs.replace(launch, cwd=str(tree), env={**launch.env, "PATH": path, "PYTHONPATH": code})


def _lock(folder: pathlib.Path) -> bytes | None:
    path = folder / "uv.lock"
    return path.read_bytes() if path.is_file() else None


def _made(tree: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Make the environment of the connector in `folder`, and return the folder of its programs."""
    script = tree / "python" / "activate.sh"
    own = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        ["bash", str(script), folder.name],
        env={**os.environ, "PATH": own},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise HeadwaterError(f"{folder.name}: the environment of that revision cannot be made: {said}")
    return folder / ".venv" / "bin"
