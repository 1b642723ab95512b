"""A manifest and what lies beside it, out of a file, a folder or a zip: read, bounded, not yet understood."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from python.builder.manifests.documents import TEXT_BYTES_MAX, DocumentError, of_text
from python.protocol.errors import HeadwaterError

__all__ = ["ENTRIES_MAX", "TOTAL_BYTES_MAX", "Gathered", "gathered", "gathered_zip"]

ENTRIES_MAX = 5_000  # files of one connector; hundreds of streams have a schema each
TOTAL_BYTES_MAX = 64 * 1024 * 1024  # of all files that are read, uncompressed
_MANIFEST = "manifest.yaml"
_SPECS = ("spec.yaml", "spec.yml", "spec.json")
_COMPONENTS = "components.py"
_SCHEMAS = "schemas"


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of one manifest. `path` is how the user would name it.

    `spec` is the content of the specification file `spec_name` beside it; `schemas` the texts below `schemas/`, by
    their path from there; `components` its custom code.
    """

    path: str
    text: str
    spec_name: str = ""
    spec: Mapping[str, Any] | None = None
    schemas: Mapping[str, str] = {}
    components: str | None = None

    @property
    def connection_specification(self) -> Mapping[str, Any] | None:
        """The JSON schema of the config that the file beside the manifest has."""
        found = (self.spec or {}).get("connectionSpecification", (self.spec or {}).get("connection_specification"))
        return found if isinstance(found, Mapping) else None


def gathered(source: Path) -> Gathered:
    """Return what is at `source`: a manifest, a folder or zip with one. Raises HeadwaterError, with the place."""
    try:
        if source.is_dir():
            return _chosen(str(source), _Folder(source))
        raw = source.read_bytes() if source.stat().st_size <= TOTAL_BYTES_MAX else None
    except OSError as error:
        raise HeadwaterError(f"{source} cannot be read: {(error.strerror or str(error)).lower()}") from None
    if raw is None:
        raise HeadwaterError(f"{source} is larger than {TOTAL_BYTES_MAX:,} bytes")
    if raw[:4] == b"PK\x03\x04":
        return gathered_zip(str(source), raw)
    beside = _Folder(source.parent)
    return _told(str(source), _decoded(str(source), raw), beside, PurePosixPath())


def gathered_zip(name: str, raw: bytes) -> Gathered:
    """Return the manifest in a zip, and what lies beside it there. Raises HeadwaterError, for bombs too."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return _chosen(name, _Zip(name, archive))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:  # the last two: methods, encryption
        raise HeadwaterError(f"{name} is no zip that can be read: {error}") from None


class _Folder:
    """Files below a folder, by their path from there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> Iterator[PurePosixPath]:
        """Yield the manifest's possible places, two folders deep."""
        for pattern in (_MANIFEST, f"*/{_MANIFEST}", f"*/*/{_MANIFEST}"):
            yield from (PurePosixPath(each.relative_to(self._root).as_posix()) for each in self._root.glob(pattern))

    def below(self, folder: PurePosixPath) -> Iterator[PurePosixPath]:
        """Yield the files below `folder`. Raises HeadwaterError where they are too many."""
        for count, each in enumerate(sorted((self._root / folder).rglob("*"))):
            if count >= ENTRIES_MAX:
                raise HeadwaterError(f"{self._root / folder} has more than {ENTRIES_MAX:,} files")
            if each.is_file():
                yield PurePosixPath(each.relative_to(self._root).as_posix())

    def read(self, name: PurePosixPath) -> bytes | None:
        """Return a file's content, or None where there is none."""
        path = self._root / name
        if not path.is_file():
            return None
        if path.stat().st_size > TEXT_BYTES_MAX:
            raise HeadwaterError(f"{path} is larger than {TEXT_BYTES_MAX:,} bytes")
        return path.read_bytes()


class _Zip:
    """The same for a zip, none of whose sizes is believed."""

    def __init__(self, name: str, archive: zipfile.ZipFile) -> None:
        self._name = name
        self._archive = archive
        self._left = TOTAL_BYTES_MAX
        infos = [info for info in archive.infolist() if not info.is_dir()]
        if len(infos) > ENTRIES_MAX:
            raise HeadwaterError(f"{name} has {len(infos):,} files, want at most {ENTRIES_MAX:,}")
        self._infos = {PurePosixPath(info.filename): info for info in infos}
        outside = [path for path in self._infos if path.is_absolute() or ".." in path.parts]
        if outside:
            raise HeadwaterError(f"{name} has the file {outside[0]}, which lies outside of it")

    def names(self) -> Iterator[PurePosixPath]:
        """Yield the manifest's possible places."""
        yield from sorted((path for path in self._infos if path.name == _MANIFEST), key=lambda path: len(path.parts))

    def below(self, folder: PurePosixPath) -> Iterator[PurePosixPath]:
        """Yield the files below `folder`."""
        yield from sorted(path for path in self._infos if path.is_relative_to(folder))

    def read(self, name: PurePosixPath) -> bytes | None:
        """Return a file's content, or None. Raises HeadwaterError where it, or all files so far, are too large."""
        info = self._infos.get(name)
        if info is None:
            return None
        limit = min(TEXT_BYTES_MAX, self._left)
        with self._archive.open(info) as file:
            raw = file.read(limit + 1)
        if len(raw) > limit:
            raise HeadwaterError(f"{self._name}: {name} unpacks to more than {limit:,} bytes; it may be a bomb")
        self._left -= len(raw)
        return raw


def _chosen(name: str, files: _Folder | _Zip) -> Gathered:
    found = list(files.names())
    if not found:
        raise HeadwaterError(f"{name} has no {_MANIFEST}: want a manifest, or a folder or a zip with one")
    nearest = [path for path in found if len(path.parts) == len(found[0].parts)]
    if len(nearest) > 1:
        raise HeadwaterError(f"{name} has several manifests: name one of {', '.join(map(str, nearest))}")
    raw = files.read(nearest[0])
    assert raw is not None, nearest  # noqa: S101 -- it was listed
    path = f"{name}/{nearest[0]}"
    return _told(path, _decoded(path, raw), files, nearest[0].parent)


def _told(path: str, text: str, files: _Folder | _Zip, folder: PurePosixPath) -> Gathered:
    spec_name, spec = _spec(path, files, folder)
    components = files.read(folder / _COMPONENTS)
    schemas = folder / _SCHEMAS
    read = {
        str(name.relative_to(schemas)): files.read(name)
        for name in files.below(schemas)
        if name.suffix in (".json", ".yaml", ".yml")
    }
    return Gathered(
        path=path,
        text=text,
        spec_name=spec_name,
        spec=spec,
        schemas={name: _decoded(f"{schemas / name}", raw) for name, raw in read.items() if raw is not None},
        components=None if components is None else _decoded(_COMPONENTS, components),
    )


def _spec(path: str, files: _Folder | _Zip, folder: PurePosixPath) -> tuple[str, Mapping[str, Any] | None]:
    for name in _SPECS:
        raw = files.read(folder / name)
        if raw is None:
            continue
        try:
            value = of_text(_decoded(name, raw)).value
        except DocumentError as error:
            raise HeadwaterError(f"{name} beside {path}: {error}") from None
        if not isinstance(value, Mapping):
            raise HeadwaterError(f"{name} beside {path} is no object")
        return name, value
    return "", None


def _decoded(name: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise HeadwaterError(f"{name} is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
