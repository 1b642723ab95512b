"""Where a connector's folder is made: out of sight, until it is whole."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import shutil
from collections.abc import Callable, Iterable, Iterator

from python.importing.scaffold import in_place
from python.protocol.errors import HeadwaterError

__all__ = ["Workspace", "workspace"]

_SHARED = (
    ".venv",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "pyproject.toml",
    "python",
    "tests",
)
"""What a connector's environment and tests need of the repository."""


_NOTE = "published"  # a file that says so, in the workspace, while the connector stands in its place unfinished


class Workspace:
    """A second repository, in which the new connector stands alone beside links to what it needs of the first one.

    `root` is that repository, `folder` the connector's folder in it. Where it was `found`, it is a copy of the one that
    an import has written, and what is added here is added there in the end.
    """

    def __init__(self, home: pathlib.Path, root: pathlib.Path, name: str, *, found: bool) -> None:
        self.root = root
        self._found = found
        self.folder = root / name
        self._final = home / name
        self._note = root / _NOTE

    def link(self, home: pathlib.Path, names: Iterable[str]) -> None:
        """`names`, of the repository `home`, are here, too, where they are there."""
        for name in names:
            if (home / name).exists() and not (self.root / name).exists():
                (self.root / name).symlink_to(home / name)

    @contextlib.contextmanager
    def published(self) -> Iterator[pathlib.Path]:
        """Within, the connector's folder is where it belongs; where that fails or is interrupted, all is as before.

        Its environment has to be made there anew, within. What a kill leaves there is known to the next workspace.
        """
        undo = in_place.add(self.folder, self._final) if self._found else self._publish()
        try:
            yield self._final
        except BaseException:
            undo()
            raise
        finally:
            self._note.unlink(missing_ok=True)

    def _publish(self) -> Callable[[], object]:
        shutil.rmtree(self.folder / ".venv", ignore_errors=True)
        _refuse_existing(self._final)
        self._note.touch()
        try:
            self.folder.rename(self._final)
        except OSError as error:
            raise HeadwaterError(f"{self._final} cannot be made: {error.strerror}") from None
        return lambda: self._final.rename(self.folder)  # out of sight at once; an environment takes a while to remove


def _refuse_existing(folder: pathlib.Path, note: pathlib.Path | None = None) -> None:
    """Raise HeadwaterError where something stands at `folder`; `note` is there where a killed run has put it there."""
    if os.path.lexists(folder):
        if note is not None and note.exists():
            raise HeadwaterError(
                f"{folder} is there already: a run that was killed wrote it, all but its environment and its line in "
                f"CI's matrix; `python/activate.sh {folder.name}` makes the one, `headwater changed --matrix` prints "
                "the other. Or remove the folder, and begin anew"
            )
        raise HeadwaterError(
            f"{folder} is there already, and nothing is overwritten: choose another name, or remove it"
        )


@contextlib.contextmanager
def workspace(home: pathlib.Path, name: str, *, found: bool = False) -> Iterator[Workspace]:
    """Inside of the `with`, there is a workspace for the connector `name` of the repository `home`; then it is gone.

    With `found`, its folder was imported, and is added to. What a killed run has left is removed first. Raises
    HeadwaterError where the connector is there already, or another run is making it.
    """
    root = home / ".cache" / "init" / name
    if found:
        in_place.check(home / name)
    else:
        _refuse_existing(home / name, root / _NOTE)
    root.mkdir(parents=True, exist_ok=True)
    lock = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise HeadwaterError(f"another `headwater init {name}` is running: wait for its end") from None
    try:
        _empty(root)
        made = Workspace(home, root, name, found=found)
        made.link(home, _SHARED)
        if found:
            shutil.copytree(
                home / name, made.folder, symlinks=True, ignore=shutil.ignore_patterns(".venv", "__pycache__")
            )
        else:
            made.folder.mkdir()
        yield made
    finally:
        _empty(root)
        with contextlib.suppress(OSError):
            root.rmdir()
            root.parent.rmdir()
        os.close(lock)


def _empty(root: pathlib.Path) -> None:
    for path in root.iterdir() if root.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
