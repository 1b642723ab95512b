"""What `headwater init` adds to a folder that an import has written: file by file, and taken back where it fails.

Nothing of upstream's is changed but project, lock and two pages, which every connector has of its own; git has theirs.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
from collections.abc import Callable, Iterator

from python.importing.repository import Repository
from python.importing.scaffold.names import module_name
from python.protocol.errors import HeadwaterError

__all__ = ["add", "check", "replaced"]

_REPLACED = ("CHANGELOG.md", "README.md", "pyproject.toml", "uv.lock")
_ENTRY = "__main__.py"  # what makes a folder a connector, so it is written last
_OURS = (_ENTRY, "VERSION", "test.flow.yaml")
_LEFT_OUT = frozenset({".venv", ".pytest_cache", ".ruff_cache", "__pycache__", "build", "dist"})


def check(folder: pathlib.Path) -> None:
    """Raise HeadwaterError unless `folder` is as git has it, and no connector yet: then all can be taken back."""
    name = folder.name
    told = Repository(folder.parent).text("status", "--porcelain", "--untracked-files=all", "--", name)
    if told:
        raise HeadwaterError(
            f"{name} is not as git has it, and init changes only what can be taken back: commit it; or undo what a run "
            f"that was killed has left: git restore {name} && git clean -d --force {name}\n{told}"
        )
    if not Repository(folder.parent).text("ls-files", "--", name):
        raise HeadwaterError(f"{name} is there already, and git does not know it: commit it, or choose another name")
    taken = [each for each in (*_OURS, f"tests/test_{module_name(name)}.py") if os.path.lexists(folder / each)]
    if taken:
        raise HeadwaterError(
            f"{name} has {', '.join(taken)} already, which init writes: it is a connector; or, if upstream has files "
            "of these names, import it into a folder below"
        )
    linked = [each for each in _REPLACED if (folder / each).is_symlink()]
    if linked:
        raise HeadwaterError(
            f"{name} has {', '.join(linked)} as a symbolic link, and init writes no file that is elsewhere: remove it, "
            "or put a file in its place; then commit that"
        )


def replaced(folder: pathlib.Path) -> list[str]:
    """Return which files of upstream's in `folder` become the connector's own."""
    return [name for name in _REPLACED if (folder / name).exists()]


def add(made: pathlib.Path, folder: pathlib.Path) -> Callable[[], None]:
    """`folder` has what is new in `made`, a changed copy of it; returned is what takes that back.

    Raises HeadwaterError, with all taken back, where a file cannot be written; what else ends it takes all back, too.
    """
    # Upstream may have links that lead nowhere: they are there all the same.
    new = [path for path in _files(made, made) if not os.path.lexists(folder / path) or str(path) in _REPLACED]
    before = {path: (folder / path).read_bytes() if os.path.lexists(folder / path) else None for path in new}
    environment = folder / ".venv"
    had_one = environment.exists()

    def undo() -> None:
        if not had_one:
            shutil.rmtree(environment, ignore_errors=True)
        for path, content in before.items():
            if content is not None:
                (folder / path).write_bytes(content)
                continue
            (folder / path).unlink(missing_ok=True)
            for parent in path.parents[:-1]:
                with contextlib.suppress(OSError):  # it has other files, or was not made
                    (folder / parent).rmdir()

    try:
        for path in sorted(new, key=lambda path: (path.name == _ENTRY, path)):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made / path, folder / path)
    except BaseException as error:
        undo()
        if isinstance(error, OSError):
            raise HeadwaterError(f"{error.filename} cannot be written: {error.strerror}") from None
        raise
    return undo


def _files(folder: pathlib.Path, root: pathlib.Path) -> Iterator[pathlib.Path]:
    for path in sorted(folder.iterdir()):
        if path.name in _LEFT_OUT or path.name.endswith(".egg-info"):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path, root)
        else:
            yield path.relative_to(root)
