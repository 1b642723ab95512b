"""What every store promises. One contract test, tests/registry/store/test_contract.py, holds all of them to it."""

from __future__ import annotations

import abc
import contextlib
import datetime as dt
import hashlib
import mimetypes
from collections.abc import Container, Iterator
from typing import ClassVar, TypeAlias

import msgspec

from python.protocol.errors import HeadwaterError

__all__ = [
    "ABSENT",
    "ALWAYS",
    "PATH_BYTES_MAX",
    "Absent",
    "Always",
    "Blob",
    "ConflictError",
    "Headers",
    "NotFoundError",
    "PathError",
    "Store",
    "StoreError",
    "Unchanged",
    "Version",
    "When",
    "checked",
    "content_type_of",
    "named",
]

PATH_BYTES_MAX = 1024  # what both clouds allow for a name of an object

_TYPES = {
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".svg": "image/svg+xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zip": "application/zip",
}


class StoreError(HeadwaterError):
    """A store cannot do what it was asked: its address, credentials or network are wrong. Its user must act."""


class NotFoundError(StoreError):
    """There is no object at `path`."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: there is no such object")
        self.path = path


class ConflictError(StoreError):
    """Somebody else wrote or deleted the object at `path` first; nothing was changed. Read it again, and decide."""

    def __init__(self, path: str, wanted: str) -> None:
        super().__init__(f"{path}: somebody else wrote it meanwhile (wanted: {wanted}); nothing was changed")
        self.path = path
        self.wanted = wanted


class PathError(StoreError):
    """`path` can be no name of an object: an absolute one, one with `..`, an empty one."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path!r} is no path in a store: {reason}")
        self.path = path


class Version(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One object as it was at one moment.

    `generation` changes whenever the object's bytes change, also where it was deleted meanwhile; compare it for
    equality alone. Whether it changes when the same bytes are written once more is the store's affair (S3's does
    not). `size` is in bytes. `sha256` is lower-case hexadecimal, None where the store cannot tell without reading (a
    listed object of a folder or of S3). `updated` has a time zone: when it was written. There are many at once, and
    none of them holds anything that could hold it: so the collector of cycles leaves them alone.
    """

    path: str
    generation: str
    size: int
    sha256: str | None
    updated: dt.datetime


class Blob(msgspec.Struct, frozen=True, kw_only=True):
    """What an object holds, and the version that these bytes are: its `sha256` is always told."""

    data: bytes
    version: Version


class Always(msgspec.Struct, frozen=True):
    """Write or delete, whatever is there."""


class Absent(msgspec.Struct, frozen=True):
    """Write only where there is nothing."""


class Unchanged(msgspec.Struct, frozen=True):
    """Write or delete only what still is of this `generation`."""

    generation: str


When: TypeAlias = Always | Absent | Unchanged

ALWAYS = Always()
ABSENT = Absent()


class Headers(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of an object beside its bytes: their sum, and what those get who fetch it over HTTP."""

    sha256: str
    content_type: str
    cache_control: str | None


class Store(abc.ABC):
    """Objects by path, as a bucket has them. Each single object is written whole or not at all.

    A path is relative, of parts joined by `/`, none of which is empty, `.` or `..`. Every method raises PathError for
    others, and StoreError where the store cannot be reached or refuses. A store may be used by many threads at once.
    An implementation gives the four methods with an underscore; paths come to them checked.
    """

    has_compare_and_swap: ClassVar[bool] = True
    """Whether `when` is decided by the store itself, in one step, so that of two writers one loses."""

    def __init__(self, address: str) -> None:
        """`address` is what `open_store` opens this store by, for people and messages: no secrets in it."""
        self.address = address

    @property
    def bucket(self) -> str:
        """What readers of a registry may know of where it was made: the bucket's name, or the last of a folder's path.

        No path of a machine is in it.
        """
        _, found, rest = self.address.partition("://")
        return rest.partition("/")[0] if found else self.address.rstrip("/").rpartition("/")[2] or "folder"

    def list(self, prefix: str = "", names: Container[str] | None = None) -> Iterator[Version]:
        """Yield every object whose path begins with `prefix`, sorted by path (by code points).

        A prefix is text, not a folder: "a" finds "a/b" and "ab". Where `names` is given, those whose path ends with
        one of them, after the last slash, which a folder finds faster. Objects written while it runs may be missing.
        """
        return self._list(prefix, names)

    def get(self, path: str) -> Blob:
        """Return the object at `path`: its bytes are those of the version returned. Raises NotFoundError."""
        return self._get(checked(path))

    def put(
        self,
        path: str,
        data: bytes | Blob,
        *,
        when: When = ALWAYS,
        content_type: str | None = None,
        cache_control: str | None = None,
    ) -> Version:
        """The object at `path` is `data`; readers see the old bytes or the new ones, and after a crash too.

        Of a Blob, an object that was read, the bytes are taken; their sum is not worked out again. `content_type` is by
        the path's ending where none is given; a folder and memory keep neither that nor `cache_control`. Raises
        ConflictError, with nothing changed, where `when` does not hold.
        """
        known = data.version.sha256 if isinstance(data, Blob) else None
        content = data.data if isinstance(data, Blob) else data
        headers = Headers(
            sha256=known or hashlib.sha256(content).hexdigest(),
            content_type=content_type or content_type_of(path),
            cache_control=cache_control,
        )
        return self._put(checked(path), content, when, headers)

    def delete(self, path: str, *, when: Always | Unchanged = ALWAYS) -> None:
        """There is no object at `path`, and it is no error if there was none.

        Raises ConflictError, with nothing changed, where `when` names a generation that is no longer there.
        """
        self._delete(checked(path), when)

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """Within, writes are visible at once but safe from a power cut only at the end: many are faster so.

        Write what names them (a pointer, a marker) after it. Only a folder makes a difference.
        """
        yield

    @abc.abstractmethod
    def _list(self, prefix: str, names: Container[str] | None) -> Iterator[Version]: ...

    @abc.abstractmethod
    def _get(self, path: str) -> Blob: ...

    @abc.abstractmethod
    def _put(self, path: str, data: bytes, when: When, headers: Headers) -> Version: ...

    @abc.abstractmethod
    def _delete(self, path: str, when: Always | Unchanged) -> None: ...


def checked(path: str) -> str:
    """Return `path` where it can be an object's. Raises PathError."""
    if not path or len(path.encode("utf-8", "surrogatepass")) > PATH_BYTES_MAX:
        raise PathError(path, f"want 1 to {PATH_BYTES_MAX} bytes")
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise PathError(path, "want parts joined by single slashes, none of them `.` or `..`, none at the beginning")
    if "\\" in path or not path.isprintable():
        raise PathError(path, "want neither backslashes nor control characters")
    return path


def named(found: Iterator[Version], names: Container[str] | None) -> Iterator[Version]:
    """Yield those of `found` whose path ends with one of `names`, after the last slash; all where None is given."""
    return found if names is None else (each for each in found if each.path.rpartition("/")[2] in names)


def content_type_of(path: str) -> str:
    """Return what kind of file `path` is by its ending, as HTTP says it."""
    ending = "." + path.rpartition(".")[2]
    return _TYPES.get(ending) or mimetypes.guess_type(path)[0] or "application/octet-stream"
