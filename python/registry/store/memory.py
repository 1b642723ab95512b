"""A store in memory, for tests and rehearsals: as the others in all that the contract says."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Container, Iterator

from python.registry.store.base import (
    Absent,
    Always,
    Blob,
    ConflictError,
    Headers,
    NotFoundError,
    Store,
    Unchanged,
    Version,
    When,
    named,
)

__all__ = ["MemoryStore"]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


class MemoryStore(Store):
    """Objects in a dictionary, gone with the process. `now` is the clock that `updated` is told by."""

    def __init__(self, now: Callable[[], dt.datetime] = _now) -> None:
        super().__init__("memory:")
        self._now = now
        self._blobs: dict[str, Blob] = {}
        self._writes = 0
        self._lock = threading.Lock()

    def _list(self, prefix: str, names: Container[str] | None) -> Iterator[Version]:
        with self._lock:
            found = [blob.version for path, blob in self._blobs.items() if path.startswith(prefix)]
        return named(iter(sorted(found, key=lambda each: each.path)), names)

    def _get(self, path: str) -> Blob:
        blob = self._blobs.get(path)
        if blob is None:
            raise NotFoundError(path)
        return blob

    def _put(self, path: str, data: bytes, when: When, headers: Headers) -> Version:
        with self._lock:
            self._check(path, when)
            self._writes += 1
            version = Version(
                path=path,
                generation=str(self._writes),
                size=len(data),
                sha256=headers.sha256,
                updated=self._now(),
            )
            self._blobs[path] = Blob(data=bytes(data), version=version)
        return version

    def _delete(self, path: str, when: Always | Unchanged) -> None:
        with self._lock:
            self._check(path, when)
            self._blobs.pop(path, None)

    def _check(self, path: str, when: When) -> None:
        there = self._blobs.get(path)
        if isinstance(when, Absent) and there is not None:
            raise ConflictError(path, "nothing there")
        if isinstance(when, Unchanged) and (there is None or there.version.generation != when.generation):
            raise ConflictError(path, f"generation {when.generation}")
