"""Folders of any file system that fsspec knows: what is written is there after a crash, and some of it only once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import quote

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from python.protocol.errors import ConfigError, ConnectorError

__all__ = ["Folder", "file_name"]

_NAME_BYTES_MAX = 255  # of a file or folder, as nearly all file systems have it
_FRESH = ".new"  # ends the name of a file that is being written


class Folder:
    """The folder `path` of a file system. Names of files in it may have `/` between folders.

    Its methods raise ConnectorError, saying what was being done, where the file system refuses it.
    """

    def __init__(self, files: AbstractFileSystem, path: str) -> None:
        self._files = files
        self._path = path.rstrip("/")
        self._is_local = isinstance(files, LocalFileSystem)

    @classmethod
    def at(cls, url: str, **options: Any) -> Folder:  # noqa: ANN401 -- what fsspec takes
        """Return the folder at `url`: a path, or one with a scheme that fsspec knows. Raises ConfigError."""
        try:
            return cls(*url_to_fs(url, use_listings_cache=False, skip_instance_cache=True, **options))
        except (ImportError, ValueError) as error:
            want = f"a folder, or a URL whose scheme fsspec knows ({_sentence(error)})"
            raise ConfigError(at="/url", got=url, want=want) from None

    @property
    def named(self) -> str:
        """The folder, for people."""
        return self._files.unstrip_protocol(self._path) if not self._is_local else self._path

    def folder(self, name: str) -> Folder:
        """Return the folder `name` in this one."""
        return Folder(self._files, self._at(name))

    def names(self, name: str = "") -> list[str]:
        """Return the names of the files in this folder, or in the folder `name` of it; none where it is missing."""
        with self._telling("list", name):
            try:
                found = self._files.ls(self._at(name), detail=True)
            except FileNotFoundError:
                return []
        names = (str(each["name"]).rpartition("/")[2] for each in found if each["type"] == "file")
        return sorted(each for each in names if not each.endswith(_FRESH))

    def has(self, name: str) -> bool:
        """Return whether there is a file `name`."""
        with self._telling("look for", name):
            return bool(self._files.isfile(self._at(name)))

    def read(self, name: str) -> bytes:
        """Return what is in the file `name`. Raises FileNotFoundError where there is none."""
        with self._telling("read", name):
            return bytes(self._files.cat_file(self._at(name)))

    @contextlib.contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        """Within, the file `name` can be read. Raises FileNotFoundError where there is none."""
        with self._telling("read", name):
            file = self._files.open(self._at(name), "rb")
        with file:
            yield file

    def begin(self, name: str) -> IO[bytes]:
        """Return a new file `name`, to be written, and then given to `end`. One that was there is replaced."""
        with self._telling("write", name):
            if self._is_local:
                self._files.makedirs(self._at(name).rpartition("/")[0], exist_ok=True)
                return open(self._at(name), "wb")  # noqa: PTH123 -- `end` closes it
            file: IO[bytes] = self._files.open(self._at(name), "wb")
            return file

    def end(self, name: str, file: IO[bytes]) -> None:
        """The file `name`, which was begun, is complete, and is there after a crash."""
        with self._telling("write", name):
            if self._is_local:
                file.flush()
                os.fsync(file.fileno())
            file.close()
            self._keep(name)

    def create(self, name: str, data: bytes) -> bool:
        """Return whether the file `name` is new, complete and there after a crash; False: there was one before."""
        with self._telling("write", name):
            if not self._is_local:
                try:
                    self._files.pipe_file(self._at(name), data, mode="create")
                except FileExistsError:
                    return False
                return True
            fresh = f"{name}.{os.getpid()}{_FRESH}"
            file = self.begin(fresh)
            file.write(data)
            self.end(fresh, file)
            try:
                os.link(self._at(fresh), self._at(name))
            except FileExistsError:
                return False
            finally:
                self.remove(fresh)
            self._keep(name)
            return True

    def move(self, name: str, to: str) -> None:
        """The file `name` has the name `to`. Raises FileNotFoundError where there is none."""
        with self._telling("move", name):
            if self._is_local:
                os.replace(self._at(name), self._at(to))  # noqa: PTH105 -- the paths are text
                self._keep(to)
            elif self.has(name):
                self._files.mv(self._at(name), self._at(to))
            else:
                raise FileNotFoundError(name)

    def remove(self, name: str) -> None:
        """There is no file `name`."""
        with self._telling("remove", name), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._at(name))

    def _keep(self, name: str) -> None:
        """The entry of the file `name` in its folder is there after a crash. Object stores do that by themselves."""
        if not self._is_local:
            return
        descriptor = os.open(self._at(name).rpartition("/")[0] or "/", os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path or "/"

    @contextlib.contextmanager
    def _telling(self, doing: str, name: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, ConnectorError):
            raise
        except Exception as failure:  # noqa: BLE001 -- each of fsspec's file systems has exceptions of its own
            raise ConnectorError(f"cannot {doing} {self.named}/{name}: {_sentence(failure)}") from None


def file_name(name: str) -> str:
    """Return `name` as the name of a folder on any file system. Raises ConnectorError where it is too long for that.

    >>> file_name("orders"), file_name("a/b c"), file_name("../x"), file_name("_staged")
    ('orders', 'a%2Fb%20c', '%2E.%2Fx', '%5Fstaged')
    """
    encoded = quote(name, safe="")
    if encoded[:1] in {".", "_"}:  # which readers of Parquet take for hidden
        encoded = f"%{ord(encoded[0]):02X}{encoded[1:]}"
    if not name or len(encoded) > _NAME_BYTES_MAX:
        wrong = f"has {len(encoded)} characters there, and {_NAME_BYTES_MAX} are the most" if name else "is empty"
        raise ConnectorError(f"there can be no folder {name!r}: its name {wrong}")
    return encoded


def _sentence(failure: Exception) -> str:
    return " ".join(str(failure).split()) or type(failure).__name__
