"""What is kept of each generation: a folder that never changes, its manifest, and the pointer to the current one.

`registries/snapshots/<id>/` holds the files of one generation and `manifest.json`, which is written last: a folder
without one is not whole, and nobody reads it. `registries/current.json` names the snapshot that counts.
`registries/v0/` has copies of its files, at the paths that Airbyte's readers know.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec

from python.protocol.errors import HeadwaterError
from python.registry.generation.entries import Registry
from python.registry.store import Blob, NotFoundError, Store, Version

__all__ = [
    "BEFORE_MAX",
    "FIXED",
    "MANIFEST",
    "POINTER",
    "PUBLISHED",
    "RECORD",
    "REGISTRY_FILES",
    "SIGNATURE",
    "SNAPSHOTS",
    "Copy",
    "Current",
    "File",
    "Hold",
    "Manifest",
    "Pointer",
    "Record",
    "SnapshotError",
    "blob_of",
    "current",
    "encoded",
    "escape",
    "file_of",
    "manifest_of",
    "once_published",
    "path_in",
    "read",
    "record",
    "snapshot_ids",
]

SNAPSHOTS = "registries/snapshots"
POINTER = "registries/current.json"
FIXED = "registries/v0"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
RECORD = f"{FIXED}/published.json"

BEFORE_MAX = 100  # of an hourly registry four days; older ones are pruned, or what followed them tells of them

REGISTRY_FILES: Mapping[Registry, str] = {"oss": "oss_registry.json", "cloud": "cloud_registry.json"}

PUBLISHED = (REGISTRY_FILES["oss"], REGISTRY_FILES["cloud"], "composite_registry.json", "specs_secrets_mask.yaml")
"""The files of a snapshot that are copied to FIXED."""

_Read = TypeVar("_Read")


class SnapshotError(HeadwaterError):
    """What a snapshot should hold is not there, or is not what it was. Whoever keeps the bucket must act."""


class File(msgspec.Struct, frozen=True):
    """One file of a snapshot; `sha256` is lower-case hexadecimal, `size` in bytes."""

    sha256: str
    size: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot holds; `files` are all of its files but the manifest and its signature, by name.

    `parent` is the snapshot that was current when this one was planned. `counts` are entries by registry.
    """

    id: str
    parent: str | None
    made: dt.datetime
    files: dict[str, File]
    counts: dict[str, int]


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing new is published until somebody resumes: a rollback would be undone by the next run otherwise."""

    reason: str
    since: dt.datetime


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """The snapshot that counts, and the SHA-256 of its manifest.

    `before` are snapshots that counted earlier, the last of them last, BEFORE_MAX at most.
    """

    snapshot: str
    manifest_sha256: str
    switched: dt.datetime
    hold: Hold | None = None
    before: tuple[str, ...] = ()


class Copy(msgspec.Struct, frozen=True):
    """A file at a fixed path: the generation that it had when it was written, and the SHA-256 of what was written."""

    generation: str
    sha256: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the files at the fixed paths, by name."""

    copies: dict[str, Copy]


class Current(msgspec.Struct, frozen=True, kw_only=True):
    """The pointer as it was read, with the object's version for a compare-and-swap, and the manifest it names."""

    pointer: Pointer
    version: Version
    manifest: Manifest


def path_in(snapshot: str, name: str) -> str:
    """Return the path of a snapshot's file."""
    return f"{SNAPSHOTS}/{snapshot}/{name}"


def encoded(value: msgspec.Struct) -> bytes:
    """Return `value` as an indented JSON file with a newline at its end: people look at these."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def file_of(data: bytes) -> File:
    """Return what a manifest says of a file of `data`."""
    return File(hashlib.sha256(data).hexdigest(), len(data))


def current(store: Store) -> Current | None:
    """Return what is published, or None. Raises SnapshotError where the pointer leads nowhere."""
    try:
        blob = store.get(POINTER)
    except NotFoundError:
        return None
    with escape(store):
        pointer = _decoded(blob.data, Pointer, POINTER)
    with escape(store, pointer.snapshot):
        manifest = manifest_of(store, pointer.snapshot, pointer.manifest_sha256)
    return Current(pointer=pointer, version=blob.version, manifest=manifest)


@contextlib.contextmanager
def escape(store: Store, broken: str | None = None) -> Iterator[None]:
    """A SnapshotError that is raised within says how to get away from it: by another snapshot than `broken`."""
    try:
        yield
    except SnapshotError as error:
        others = [each for each in once_published(store) if each != broken]
        way = f"there is no other: delete {POINTER}, and `generate --allow-shrink` publishes what the bucket says"
        if others:
            way = f"go back to another: headwater registry rollback {store.address} --to {others[-1]} --reason WHY"
        raise SnapshotError(f"{error}; {way}") from None


def once_published(store: Store) -> list[str]:
    """Return the snapshots that are whole and counted once, the newest last.

    The pointer tells, what followed them, and the copies for readers; where something was published and nothing tells
    what, they are all whole ones.
    """
    manifests = dict[str, Manifest]()
    for each in snapshot_ids(store):
        with contextlib.suppress(SnapshotError):
            manifests[each] = manifest_of(store, each)
    parents, copies, pointed = {each.parent for each in manifests.values()}, record(store).copies, _pointed(store)
    known = parents | (pointed or set())
    found = [name for name, each in manifests.items() if name in known or (copies and _is_copied(each, copies))]
    return list(manifests) if not found and pointed is None else found


def _pointed(store: Store) -> set[str] | None:
    """Return the snapshots that the pointer names; None where it cannot be read, or is gone."""
    try:
        pointer = _decoded(store.get(POINTER).data, Pointer, POINTER)
    except NotFoundError:
        return None if next(store.list(RECORD), None) else set()
    except SnapshotError:
        return None
    return {pointer.snapshot, *pointer.before}


def _is_copied(manifest: Manifest, copies: Mapping[str, Copy]) -> bool:
    return all(name in manifest.files and manifest.files[name].sha256 == copy.sha256 for name, copy in copies.items())


def record(store: Store) -> Record:
    """Return what is known of the copies; nothing where it cannot be read: then all of them are made again."""
    try:
        return msgspec.json.decode(store.get(RECORD).data, type=Record)
    except (NotFoundError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Record(copies={})


def manifest_of(store: Store, snapshot: str, sha256: str | None = None) -> Manifest:
    """Return a snapshot's manifest. Raises SnapshotError where it has none, or one of another hash than `sha256`."""
    path = path_in(snapshot, MANIFEST)
    try:
        blob = store.get(path)
    except NotFoundError:
        raise SnapshotError(f"there is no snapshot {snapshot}: {path} is missing") from None
    if sha256 not in (None, blob.version.sha256):
        raise SnapshotError(f"{path} is not what {POINTER} names: its SHA-256 is {blob.version.sha256}, want {sha256}")
    manifest = _decoded(blob.data, Manifest, path)
    if manifest.id != snapshot:
        raise SnapshotError(f"{path} is the manifest of another snapshot, {manifest.id}")
    return manifest


def read(store: Store, manifest: Manifest, name: str) -> bytes:
    """Return what a file of a snapshot holds, as `blob_of` does."""
    return blob_of(store, manifest, name).data


def blob_of(store: Store, manifest: Manifest, name: str) -> Blob:
    """Return a file of a snapshot. Raises SnapshotError where it is missing, or not what the manifest says."""
    path, said = path_in(manifest.id, name), manifest.files.get(name)
    if said is None:
        raise SnapshotError(f"snapshot {manifest.id} has no {name}")
    try:
        found = store.get(path)
    except NotFoundError:
        raise SnapshotError(f"{path} is missing, and the manifest beside it names it") from None
    if found.version.sha256 != said.sha256:
        raise SnapshotError(
            f"{path} was changed: its SHA-256 is {found.version.sha256}, its manifest says {said.sha256}"
        )
    return found


def snapshot_ids(store: Store) -> list[str]:
    """Return the snapshots that are whole, the newest last."""
    found = [version.path.split("/") for version in store.list(f"{SNAPSHOTS}/")]
    return sorted(parts[2] for parts in found if len(parts) == 4 and parts[3] == MANIFEST)  # noqa: PLR2004 -- path_in's


def _decoded(data: bytes, kind: type[_Read], path: str) -> _Read:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SnapshotError(f"{path} cannot be read: {error}") from None
