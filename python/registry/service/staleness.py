"""Which connectors of a checkout were never uploaded as the checkout has them: somebody merged, and nobody released."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import pathlib
import subprocess
from collections.abc import Iterator

import msgspec

from python.registry.generation.listing import advertised, listing_of
from python.registry.metadata.documents import read
from python.registry.metadata.numbering import Kind, kind_of, number
from python.registry.store import Store, StoreError

__all__ = ["GRACE_HOURS", "Stale", "Staleness", "stale_metadata"]

GRACE_HOURS = 6.0
"""How long a release may take after the merge before anybody is told; Airbyte's is the same."""

_FILE = "metadata.yaml"
_GIT_SECONDS_MAX = 30  # one commit of one file; a repository on a network may take its time


class Stale(msgspec.Struct, frozen=True, kw_only=True):
    """A connector whose metadata says another version than the bucket advertises, None where it has none.

    `path` is relative to the checkout.
    """

    repository: str
    path: str
    checkout: str
    bucket: str | None

    def __str__(self) -> str:
        there = f"the latest in the bucket is {self.bucket}" if self.bucket else "it is not in the bucket"
        return f"{self.repository} is {self.checkout} in {self.path}, and {there}"


class Staleness(msgspec.Struct, frozen=True, kw_only=True):
    """`stale` are sorted by repository; `fresh` are as stale, but changed within the grace; `unread` are sentences.

    `checked` counts the files that were compared.
    """

    checked: int
    stale: tuple[Stale, ...]
    fresh: tuple[Stale, ...]
    unread: tuple[str, ...]

    def sentences(self) -> list[str]:
        """Return what somebody has to know, the worst first, with what to do about it."""
        hint = "upload it: metadata_service upload"
        folders = [pathlib.PurePosixPath(each.path).parent for each in self.stale]
        told = [
            *(f"{each}; {hint} {folder} BUCKET" for each, folder in zip(self.stale, folders, strict=True)),
            *self.unread,
        ]
        waiting = [f"{len(self.fresh):,} more changed lately and may still be on the way"] if self.fresh else []
        return [*told, *waiting]


class _Told(msgspec.Struct, frozen=True):
    repository: str
    tag: str


def stale_metadata(
    store: Store, checkout: pathlib.Path, now: dt.datetime, *, grace_hours: float = GRACE_HOURS
) -> Staleness:
    """Return which metadata files below `checkout` are ahead of what the bucket advertises.

    Archived connectors and pre-releases are not asked for. When a file changed is when it was committed, else when it
    was written. The bucket is read first, so that nothing seems stale that is released meanwhile. Raises StoreError
    where there is no such folder.
    """
    if not checkout.is_dir():
        raise StoreError(f"there is no folder {checkout}: want the checkout that connectors are released from")
    listed = listing_of(store).connectors
    stale, fresh, unread, checked = list[Stale](), list[Stale](), list[str](), 0
    for file in _files(checkout):
        path = file.relative_to(checkout).as_posix()
        told = _read(file, path)
        if told is None:
            continue
        if isinstance(told, str):
            unread.append(told)
            continue
        checked += 1
        latest = advertised(listed.get(told.repository, ())).latest
        if latest is not None and number(latest) >= number(told.tag):
            continue
        found = Stale(repository=told.repository, path=path, checkout=told.tag, bucket=latest)
        is_fresh = now - _changed(file) < dt.timedelta(hours=grace_hours)
        (fresh if is_fresh else stale).append(found)
    return Staleness(checked=checked, stale=_sorted(stale), fresh=_sorted(fresh), unread=tuple(unread))


def _sorted(found: list[Stale]) -> tuple[Stale, ...]:
    return tuple(sorted(found, key=lambda each: each.repository))


def _files(checkout: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield the metadata files: what is below a connector's folder, or hidden, is none."""
    for folder, folders, files in os.walk(checkout):
        if _FILE in files:
            folders.clear()
            yield pathlib.Path(folder, _FILE)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")


def _read(file: pathlib.Path, path: str) -> _Told | str | None:
    """Return what a file says, why that cannot be known, or None where nobody would release it to everybody."""
    try:
        document = read(file.read_bytes())
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    data = _member(document.value, "data")
    repository, tag = _member(data, "dockerRepository"), _member(data, "dockerImageTag")
    if not isinstance(repository, str) or not isinstance(tag, str):
        return f"{path} names no version of a connector: `metadata_service validate {path}` tells what is wrong"
    try:
        is_release = kind_of(tag) is Kind.RELEASE
    except ValueError:
        return f"{path} is of version {tag}, which is no semantic version"
    if _member(data, "supportLevel") == "archived" or not is_release:
        return None
    return _Told(repository, tag)


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _changed(file: pathlib.Path) -> dt.datetime:
    command = ["git", "-C", str(file.parent), "log", "-1", "--format=%ct", "--", file.name]
    seconds = file.stat().st_mtime
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):  # no git, no repository, no commit
        done = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_SECONDS_MAX, check=True)
        seconds = float(done.stdout)
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc)
