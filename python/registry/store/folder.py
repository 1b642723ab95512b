"""A store in a folder, the default: files that people can look at, written as atomically as a bucket's objects.

The folder has one child of ours, `.store`, with the lock that writers take and files that are being written. It is on
the same file system, so that a finished file is moved to its place in one step. Files that people copy into the folder
are objects too.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import hashlib
import operator
import os
import pathlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from python.registry.store.base import (
    Absent,
    Always,
    Blob,
    ConflictError,
    Headers,
    NotFoundError,
    PathError,
    Store,
    StoreError,
    Unchanged,
    Version,
    When,
)

__all__ = ["LEFTOVER_SECONDS_MIN", "OWN", "FolderStore"]

OWN = ".store"
"""The child of the folder that holds no objects."""

LEFTOVER_SECONDS_MIN = 24 * 60 * 60
"""A file that has been written for longer than that is nobody's any more: its writer was killed."""

_LOCK = "lock"
_NS = 1_000_000_000


class FolderStore(Store):
    """The objects below `folder`, which is made at the first write. `clock_ns` is nanoseconds since 1970."""

    def __init__(self, folder: pathlib.Path, clock_ns: Callable[[], int] = time.time_ns) -> None:
        super().__init__(str(folder))
        self._folder = folder
        self._clock_ns = clock_ns
        self._batches = 0
        self._swept = False
        self._counting = threading.Lock()

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """As the contract says; the whole machine's files are written out at the end, which is one wait for all."""
        with self._counting:
            self._batches += 1
        try:
            yield
        finally:
            with self._counting:
                self._batches -= 1
                is_last = not self._batches
            if is_last:
                os.sync()

    def _list(self, prefix: str) -> Iterator[Version]:
        with _told(self.address):
            if self._folder.exists() and not self._folder.is_dir():
                raise StoreError(f"{self.address} is a file; want the folder that is the bucket")
            for name, file in _files(str(self._folder), prefix):
                with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                    yield _version(name, file.stat(follow_symlinks=False), None)

    def _get(self, path: str) -> Blob:
        with _told(self.address):
            try:
                with self._place(path).open("rb") as file:
                    data, status = file.read(), os.fstat(file.fileno())
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise NotFoundError(path) from None
        return Blob(data=data, version=_version(path, status, hashlib.sha256(data).hexdigest()))

    def _put(self, path: str, data: bytes, when: When, headers: Headers) -> Version:  # noqa: ARG002 -- a file has none
        place = self._place(path)
        with _told(self.address), self._temporary(data) as beside:
            with self._locked():
                _check(path, place, when)
                self._date(beside, place)
                try:
                    changed = _made(place.parent)
                    beside.replace(place)
                except (FileExistsError, NotADirectoryError, IsADirectoryError):
                    raise PathError(path, "it or what it is in is there already, as a folder or as a file") from None
                status = place.stat()
            self._sync(changed)
        return _version(path, status, hashlib.sha256(data).hexdigest())

    def _delete(self, path: str, when: Always | Unchanged) -> None:
        place = self._place(path)
        with _told(self.address):
            if not self._folder.exists() and isinstance(when, Always):
                return
            with self._locked():
                _check(path, place, when)
                with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                    place.unlink()
                self._prune(place.parent)

    def _place(self, path: str) -> pathlib.Path:
        if path.split("/", 1)[0] == OWN:
            raise PathError(path, f"{OWN} is the store's own")
        return self._folder / path

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Within, no other writer of this folder, in this process or another, is within."""
        own = self._folder / OWN
        own.mkdir(parents=True, exist_ok=True)
        with (own / _LOCK).open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _temporary(self, data: bytes) -> Iterator[pathlib.Path]:
        """Within, a file of `data` on the same file system; afterwards it is moved, or gone."""
        own = self._folder / OWN
        own.mkdir(parents=True, exist_ok=True)
        self._sweep(own)
        number, name = tempfile.mkstemp(dir=own)
        beside = pathlib.Path(name)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(number, 0o644)  # mkstemp's are for us alone; a web server reads these
                if not self._batches:
                    os.fsync(number)
            yield beside
        finally:
            beside.unlink(missing_ok=True)

    def _sweep(self, own: pathlib.Path) -> None:
        """Remove, once, what writers that were killed long ago have left."""
        if self._swept:
            return
        self._swept = True
        for each in own.iterdir():
            with contextlib.suppress(FileNotFoundError):
                is_old = self._clock_ns() - each.stat().st_mtime_ns > LEFTOVER_SECONDS_MIN * _NS
                if is_old and each.name != _LOCK:
                    each.unlink()

    def _date(self, beside: pathlib.Path, place: pathlib.Path) -> None:
        """Make the time of `beside` later than that of the file it replaces, however coarse the system's clock is."""
        now = self._clock_ns()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            now = max(now, place.stat().st_mtime_ns + 1)
        os.utime(beside, ns=(now, now))

    def _sync(self, folders: list[pathlib.Path]) -> None:
        for folder in [] if self._batches else folders:
            with contextlib.suppress(FileNotFoundError):  # emptied by another writer meanwhile
                number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    os.fsync(number)
                finally:
                    os.close(number)

    def _prune(self, folder: pathlib.Path) -> None:
        """Remove `folder` and what it is in while they are empty: a bucket has no empty folders."""
        while folder != self._folder:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                return
            folder = folder.parent


def _files(folder: str, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield every file below `folder`, sorted by path; folders that cannot hold `prefix` are not looked into."""
    waiting = _children(folder, "", prefix)
    while waiting:
        path, entry = waiting.pop()
        if path.endswith("/"):
            waiting += _children(entry.path, path, prefix)
        else:
            yield path, entry


def _children(folder: str, within: str, prefix: str) -> list[tuple[str, os.DirEntry[str]]]:
    """Return what in `folder` may be or hold an object, the last first; a folder's path ends with a slash.

    Links are not followed: what they lead to need not be in the store.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        return sorted(_held(entries, within, prefix), key=operator.itemgetter(0), reverse=True)
    return []  # deleted meanwhile


def _held(entries: Iterable[os.DirEntry[str]], within: str, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    for each in entries:
        path = within + each.name
        if each.is_dir(follow_symlinks=False):
            path += "/"
            if path != f"{OWN}/" and (path.startswith(prefix) or prefix.startswith(path)):
                yield path, each
        elif path.startswith(prefix) and each.is_file(follow_symlinks=False):
            yield path, each


def _made(folder: pathlib.Path) -> list[pathlib.Path]:
    """Make `folder`; return it, and each folder around it that has got a new child, for these have to be synced."""
    changed = [folder]
    while not changed[-1].exists():
        changed.append(changed[-1].parent)
    folder.mkdir(parents=True, exist_ok=True)
    return changed


def _version(path: str, status: os.stat_result, sha256: str | None) -> Version:
    return Version(
        path=path,
        generation=f"{status.st_mtime_ns:x}-{status.st_ino:x}-{status.st_size:x}",
        size=status.st_size,
        sha256=sha256,
        updated=dt.datetime.fromtimestamp(status.st_mtime_ns / _NS, dt.timezone.utc),
    )


def _check(path: str, place: pathlib.Path, when: When) -> None:
    try:
        there = _version(path, place.stat(), None).generation
    except (FileNotFoundError, NotADirectoryError):
        there = None
    if isinstance(when, Absent) and there is not None:
        raise ConflictError(path, "nothing there")
    if isinstance(when, Unchanged) and there != when.generation:
        raise ConflictError(path, f"generation {when.generation}")


@contextlib.contextmanager
def _told(address: str) -> Iterator[None]:
    """Tell what the system refuses as our error."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{address}: {error.strerror or error}: {error.filename or ''}".rstrip(": ")) from None
