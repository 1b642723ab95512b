"""Which files below a folder are objects of a store, in order: a registry has 100,000, so one plain loop finds them."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Container, Iterator
from typing import TypeAlias

__all__ = ["OWN", "WRITING", "Found", "walk"]

OWN = ".store"
"""The child of the folder that holds no objects."""

WRITING = f"{OWN}-"
"""How the names of files begin that are being written: none of them is an object."""

Found: TypeAlias = tuple[str, os.stat_result]
"""A file's path below the folder, and what the system says of it."""

_Child: TypeAlias = tuple[str, os.stat_result | None]
"""A file, or, without a status, a folder, whose path ends with a slash. To make a class of it would take longer."""

_Sweep: TypeAlias = "Callable[[os.DirEntry[str]], None]"


def walk(folder: str, prefix: str, names: Container[str] | None, sweep: _Sweep) -> Iterator[Found]:
    """Yield each file below `folder` whose path begins with `prefix`, and whose name is in `names`, sorted by path.

    Links are not followed: what they lead to need not be in the store. Names that are no text are left out, as nobody
    could write them down. `sweep` is given each file that is being written.
    """
    waiting: list[_Child] = [(within, None) for within in _start(folder, prefix)]
    while waiting:
        path, status = waiting.pop()
        if status is not None:
            yield path, status
            continue
        found = _children(folder, path, names, sweep)
        if len(path) < len(prefix):
            found = [each for each in found if each[0].startswith(prefix)]
        if not path:
            found = [each for each in found if each[0] != f"{OWN}/"]
        found.sort(reverse=True)
        waiting += found


def _start(folder: str, prefix: str) -> Iterator[str]:
    """Yield the path of the folder that all is below whose path begins with `prefix`, if there is one."""
    within = prefix[: prefix.rfind("/") + 1]
    parts = within.split("/")[:-1]
    if parts[:1] == [OWN] or any(part in ("", ".", "..") for part in parts):
        return
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, ValueError):  # a prefix may be any text
        paths = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        if all(stat.S_ISDIR(os.lstat(f"{folder}/{path}").st_mode) for path in paths):
            yield within


def _children(folder: str, within: str, names: Container[str] | None, sweep: _Sweep) -> list[_Child]:
    """Return what may be or hold an object in the folder at `within`; nothing of what is deleted meanwhile."""
    found: list[_Child] = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(f"{folder}/{within}") as entries:
        for each in entries:
            name = each.name
            if not (name.isascii() or _is_text(name)):
                continue
            if each.is_dir(follow_symlinks=False):
                found.append((f"{within}{name}/", None))
            elif name.startswith(WRITING):
                sweep(each)
            elif (names is None or name in names) and (status := _status(each)) is not None:
                found.append((within + name, status))
    return found


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8, as Python tells them
        return False
    return True


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """Return what the system says of a file; None for what is none, or none any more."""
    try:
        return entry.stat(follow_symlinks=False) if entry.is_file(follow_symlinks=False) else None
    except FileNotFoundError:
        return None
