"""A store in a folder, the default: files that people can look at, written as atomically as a bucket's objects.

The folder has one child of ours, `.store`, with the lock that writers take. A file is written beside its place under a
hidden name, `.store-` and a token, and moved there in one step. Files that people copy into the folder are objects too.
"""

# A registry has 100,000 paths, and an object for each takes longer than what the system does with it, so:
# ruff: noqa: PTH103, PTH105, PTH106, PTH108, PTH110, PTH112, PTH116, PTH120, PTH123 -- no pathlib here

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import hashlib
import os
import pathlib
import secrets
import threading
import time
from collections.abc import Callable, Container, Iterator

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
from python.registry.store.walking import OWN, WRITING, walk

__all__ = ["LEFTOVER_SECONDS_MIN", "FolderStore"]

LEFTOVER_SECONDS_MIN = 24 * 60 * 60
"""A file that has been written for longer than that is nobody's any more: its writer was killed."""

_LOCK = "lock"
_NS = 1_000_000_000
_ATTEMPTS_MAX = 100  # somebody who removes an empty folder as often as we make it does nothing else


class FolderStore(Store):
    """The objects below `folder`, which is made at the first write. `clock_ns` is nanoseconds since 1970."""

    def __init__(self, folder: pathlib.Path, clock_ns: Callable[[], int] = time.time_ns) -> None:
        super().__init__(str(folder))
        self._folder = str(folder)
        self._clock_ns = clock_ns
        self._batches = 0
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

    def _list(self, prefix: str, names: Container[str] | None) -> Iterator[Version]:
        with _told(self.address):
            if os.path.exists(self._folder) and not os.path.isdir(self._folder):
                raise StoreError(f"{self.address} is a file; want the folder that is the bucket")
            for path, status in walk(self._folder, prefix, names, self._sweep):
                yield _version(path, status, None)

    def _get(self, path: str) -> Blob:
        place = self._place(path)
        with _told(self.address):
            try:
                with open(place, "rb", buffering=0) as file:
                    data, status = file.read(), os.fstat(file.fileno())
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise NotFoundError(path) from None
        return Blob(data=data, version=_version(path, status, hashlib.sha256(data).hexdigest()))

    def _put(self, path: str, data: bytes, when: When, headers: Headers) -> Version:
        place = self._place(path)
        with _told(self.address):
            with _clear(path), self._temporary(place) as (number, beside, changed):
                self._fill(number, data)
                with self._locked():
                    there = _status(place)
                    _check(path, there, when)
                    self._date(number, there)
                    status = os.fstat(number)
                    os.replace(beside, place)
            self._sync(changed)
        return _version(path, status, headers.sha256)

    def _delete(self, path: str, when: Always | Unchanged) -> None:
        place = self._place(path)
        with _told(self.address):
            if not os.path.exists(self._folder) and isinstance(when, Always):
                return
            with self._locked():
                _check(path, _status(place), when)
                with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                    os.unlink(place)
            self._prune(os.path.dirname(place))

    def _place(self, path: str) -> str:
        first, _, _ = path.partition("/")
        if first == OWN or path.rpartition("/")[2].startswith(WRITING):
            raise PathError(path, f"{OWN} and files that begin with {WRITING} are the store's own")
        return f"{self._folder}/{path}"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Within, no other writer of this folder, in this process or another, is within."""
        own = f"{self._folder}/{OWN}"
        try:
            number = os.open(f"{own}/{_LOCK}", os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            os.makedirs(own, exist_ok=True)
            number = os.open(f"{own}/{_LOCK}", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            yield
        finally:
            os.close(number)

    @contextlib.contextmanager
    def _temporary(self, place: str) -> Iterator[tuple[int, str, list[str]]]:
        """Within, an open file beside `place`, its path, and the folders to sync; afterwards it is moved, or gone."""
        folder = os.path.dirname(place)
        beside = f"{folder}/{WRITING}{secrets.token_hex(8)}"
        number, changed = _opened(beside, folder)
        try:
            yield number, beside, changed
        except BaseException:
            with contextlib.suppress(FileNotFoundError):  # moved already
                os.unlink(beside)
            self._prune(folder)
            raise
        finally:
            os.close(number)

    def _fill(self, number: int, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(number, rest) :]
        os.fchmod(number, 0o644)  # whatever the umask is: a web server reads these
        if not self._batches:
            os.fsync(number)

    def _sweep(self, entry: os.DirEntry[str]) -> None:
        """Remove what a writer that was killed long ago has left."""
        with contextlib.suppress(OSError):  # somebody else did, or this folder is for reading alone
            if self._clock_ns() - entry.stat(follow_symlinks=False).st_mtime_ns > LEFTOVER_SECONDS_MIN * _NS:
                os.unlink(entry.path)

    def _date(self, number: int, there: os.stat_result | None) -> None:
        """Make the time of an open file later than that of the one it replaces, however coarse the clock is."""
        now = self._clock_ns()
        if there is not None:
            now = max(now, there.st_mtime_ns + 1)
        os.utime(number, ns=(now, now))

    def _sync(self, folders: list[str]) -> None:
        for folder in [] if self._batches else folders:
            with contextlib.suppress(FileNotFoundError):  # emptied by another writer meanwhile
                number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    os.fsync(number)
                finally:
                    os.close(number)

    def _prune(self, folder: str) -> None:
        """Remove `folder` and what it is in while they are empty: a bucket has no empty folders."""
        while len(folder) > len(self._folder):
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                pass
            except OSError:
                return
            folder = os.path.dirname(folder)


def _opened(path: str, folder: str) -> tuple[int, list[str]]:
    """Make the file `path` in `folder`, and that too; return it open, and each folder that has got a new child."""
    changed = [folder]
    for _ in range(_ATTEMPTS_MAX):  # an empty folder may be removed by another writer before there is a file in it
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), changed
        while not os.path.exists(changed[-1]):
            changed.append(os.path.dirname(changed[-1]))
        os.makedirs(folder, exist_ok=True)
    raise StoreError(f"{folder} is removed as often as it is made: does another program clean up in this folder?")


def _version(path: str, status: os.stat_result, sha256: str | None) -> Version:
    changed_ns = status.st_mtime_ns
    return Version(
        path=path,
        generation=f"{changed_ns:x}-{status.st_ino:x}-{status.st_size:x}",
        size=status.st_size,
        sha256=sha256,
        updated=dt.datetime.fromtimestamp(changed_ns / _NS, dt.timezone.utc),
    )


def _status(place: str) -> os.stat_result | None:
    try:
        return os.stat(place)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _check(path: str, there: os.stat_result | None, when: When) -> None:
    if isinstance(when, Absent) and there is not None:
        raise ConflictError(path, "nothing there")
    if isinstance(when, Unchanged) and (there is None or _version(path, there, None).generation != when.generation):
        raise ConflictError(path, f"generation {when.generation}")


@contextlib.contextmanager
def _clear(path: str) -> Iterator[None]:
    """Tell that a folder or a file is in the way of an object at `path`."""
    try:
        yield
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise PathError(path, "it or what it is in is there already, as a folder or as a file") from None


@contextlib.contextmanager
def _told(address: str) -> Iterator[None]:
    """Tell what the system refuses as our error."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{address}: {error.strerror or error}: {error.filename or ''}".rstrip(": ")) from None
