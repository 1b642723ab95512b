"""One switch publishes all registries together: a snapshot, then the pointer, then the copies at the fixed paths.

A crash before the switch leaves a folder that nobody reads; one after it leaves copies of the snapshot before, each of
them whole, which `heal` replaces. Of two who switch at once, one gets a ConflictError and has changed nothing that
counts (decision 0145).
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Mapping

import msgspec

from python.registry.generation.snapshots import (
    BEFORE_MAX,
    FIXED,
    MANIFEST,
    POINTER,
    PUBLISHED,
    RECORD,
    SIGNATURE,
    SNAPSHOTS,
    Copy,
    Current,
    File,
    Hold,
    Manifest,
    Pointer,
    Record,
    SnapshotError,
    blob_of,
    current,
    encoded,
    file_of,
    manifest_of,
    once_published,
    path_in,
    read,
    record,
)
from python.registry.store import ABSENT, ConflictError, NotFoundError, Store, Unchanged, Version, When

__all__ = [
    "Candidate",
    "Sign",
    "heal",
    "is_copied",
    "keep",
    "point",
    "prune",
    "resume",
    "rollback",
    "sign_current",
    "switch",
]

CACHE_CONTROL = "public, max-age=60"  # a reader sees a new registry within a minute
_FOREVER = "public, max-age=31536000, immutable"  # a snapshot never changes
_NEVER = "no-cache"
_WRITERS = 2  # large files in memory at once: hashing and syncing take a core each
ORPHANED_SECONDS_MIN = 24 * 60 * 60  # a snapshot that nothing names may be another's that is still being written

Sign = Callable[[bytes], bytes]
"""Returns the content of the signature's file for a manifest's bytes."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot to be: `files` by name, made one after the other, as each of them can be large."""

    id: str
    made: dt.datetime
    files: Iterable[tuple[str, bytes]]
    counts: Mapping[str, int]


def switch(store: Store, candidate: Candidate, seen: Current | None, sign: Sign | None = None) -> Current:
    """`candidate` is current. Raises ConflictError where what is current no longer is what was `seen`."""
    manifest = keep(store, candidate, seen.pointer.snapshot if seen else None, sign)
    return point(store, manifest, seen, candidate.made)


def point(store: Store, manifest: Manifest, seen: Current | None, now: dt.datetime) -> Current:
    """The snapshot of `manifest` is current. Raises ConflictError where what is current is not what was `seen`."""
    said = store.get(path_in(manifest.id, MANIFEST)).data  # as it was written, perhaps by another program
    before = (*seen.pointer.before, seen.pointer.snapshot)[-BEFORE_MAX:] if seen else ()
    pointer = Pointer(snapshot=manifest.id, manifest_sha256=file_of(said).sha256, switched=now, before=before)
    when = Unchanged(seen.version.generation) if seen else ABSENT
    version = store.put(POINTER, encoded(pointer), when=when, cache_control=_NEVER)
    return Current(pointer=pointer, version=version, manifest=manifest)


def keep(store: Store, candidate: Candidate, parent: str | None, sign: Sign | None = None) -> Manifest:
    """`candidate` is in the store, whole: its files, then what names them. Nobody reads it before `point`."""
    files: dict[str, File] = {}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:  # one is hashed and synced while the next is made, no more
        waiting = dict[str, concurrent.futures.Future[File]]()
        for name, data in candidate.files:
            files |= {each: future.result() for each, future in waiting.items()}
            waiting = {name: pool.submit(_write, store, candidate.id, name, data)}
        files |= {each: future.result() for each, future in waiting.items()}
    counts = dict(candidate.counts)
    manifest = Manifest(id=candidate.id, parent=parent, made=candidate.made, files=files, counts=counts)
    data = encoded(manifest)
    if sign:
        store.put(path_in(candidate.id, SIGNATURE), sign(data), when=ABSENT, cache_control=_FOREVER)
    store.put(path_in(candidate.id, MANIFEST), data, when=ABSENT, cache_control=_FOREVER)
    return manifest


def _write(store: Store, snapshot: str, name: str, data: bytes) -> File:
    version = store.put(path_in(snapshot, name), data, when=ABSENT, cache_control=_FOREVER)
    return File(version.sha256, len(data)) if version.sha256 else file_of(data)


def sign_current(store: Store, seen: Current, sign: Sign) -> bool:
    """The snapshot that is current is signed; return whether it was not before."""
    path = path_in(seen.pointer.snapshot, SIGNATURE)
    if next(store.list(path), None):
        return False
    manifest = store.get(path_in(seen.pointer.snapshot, MANIFEST)).data
    with contextlib.suppress(ConflictError):  # a rival was first
        store.put(path, sign(manifest), when=ABSENT, cache_control=_FOREVER)
    return True


def heal(store: Store) -> Current | None:
    """The files at the fixed paths are those of the current snapshot; return it. What they are already is not written.

    Whoever switches meanwhile heals, too; whoever of the two is last sees it, and begins again.
    """
    now = current(store)
    while now is not None:
        _copy(store, now)
        after = current(store)
        if after is None or after.pointer.snapshot == now.pointer.snapshot:
            return after
        now = after
    return None


def is_copied(store: Store, now: Current) -> bool:
    """Return whether the files at the fixed paths are those of `now`, told from names, times and the record."""
    return _copies(store, record(store), now).keys() == _wanted(now).keys()


def _wanted(now: Current) -> dict[str, str]:
    return {name: file.sha256 for name, file in now.manifest.files.items() if name in PUBLISHED}


def _copies(store: Store, known: Record, now: Current) -> dict[str, Copy]:
    """Return the files at the fixed paths that are those of `now`.

    Which ones are is known from the record: each copy that still is of the generation that was written is what it was.
    """
    there = {version.path.rsplit("/", 1)[1]: version.generation for version in store.list(f"{FIXED}/")}
    wanted = _wanted(now)
    whole = {name: copy for name, copy in known.copies.items() if there.get(name) == copy.generation}
    return {name: whole[name] for name in wanted if name in whole and whole[name].sha256 == wanted[name]}


def _copy(store: Store, now: Current) -> None:
    """The files at the fixed paths are copies of those of `now`; what they are already is not written."""
    known, wanted = record(store), _wanted(now)
    copies = _copies(store, known, now)
    lacking = [name for name in wanted if name not in copies]
    with concurrent.futures.ThreadPoolExecutor(_WRITERS) as pool:
        versions = pool.map(lambda name: _copied(store, now, name), lacking)
        copies |= {
            name: Copy(version.generation, wanted[name]) for name, version in zip(lacking, versions, strict=True)
        }
    if copies != known.copies:
        store.put(RECORD, encoded(Record(copies=copies)), cache_control=_NEVER)


def _copied(store: Store, now: Current, name: str) -> Version:
    return store.put(f"{FIXED}/{name}", blob_of(store, now.manifest, name), cache_control=CACHE_CONTROL)


def rollback(store: Store, now: dt.datetime, *, to: str | None = None, reason: str) -> Current:
    """The pointer names the snapshot `to`, by default the parent of the current one, and holds there until `resume`.

    All files of that snapshot are read first, so that nobody goes back to what is not whole. With `to`, it does not
    matter whether the pointer, or what it names, can be read, or is there. Raises SnapshotError where there is no such
    snapshot, or it never was published, and ConflictError where somebody else switches meanwhile.
    """
    target, when = (to, _unmoved(store)) if to else _parent(store)
    manifest, published = manifest_of(store, target), once_published(store)
    if target not in published:
        way = f"`headwater registry publish {store.address} --snapshot {target}` does, if every gate lets it pass"
        raise SnapshotError(f"snapshot {target} was prepared, and nobody ever published it: {way}")
    for name in manifest.files:
        read(store, manifest, name)
    digest = store.get(path_in(target, MANIFEST)).version.sha256 or ""
    hold = Hold(reason=reason, since=now)
    before = tuple(each for each in published if each != target)[-BEFORE_MAX:]
    pointer = Pointer(snapshot=target, manifest_sha256=digest, switched=now, hold=hold, before=before)
    store.put(POINTER, encoded(pointer), when=when, cache_control=_NEVER)
    healed = heal(store)
    assert healed is not None  # noqa: S101 -- nobody deletes the pointer
    return healed


def _unmoved(store: Store) -> When:
    """Return the condition that the pointer stays what it is now, whatever is in it."""
    try:
        return Unchanged(store.get(POINTER).version.generation)
    except NotFoundError:
        return ABSENT


def _parent(store: Store) -> tuple[str, When]:
    """Return the snapshot before the current one, and the condition that this is current still."""
    seen = current(store)
    if seen is None:
        raise SnapshotError("nothing was ever published here: there is nothing to go back from")
    if seen.manifest.parent is None:
        raise SnapshotError(f"{seen.pointer.snapshot} is the first snapshot: there is none to go back to")
    return seen.manifest.parent, Unchanged(seen.version.generation)


def resume(store: Store) -> bool:
    """Nothing is held any more; return whether something was."""
    seen = current(store)
    if seen is None or seen.pointer.hold is None:
        return False
    free = msgspec.structs.replace(seen.pointer, hold=None)
    store.put(POINTER, encoded(free), when=Unchanged(seen.version.generation), cache_control=_NEVER)
    return True


def prune(store: Store, now: dt.datetime, *, keep: int) -> list[str]:
    """Return the snapshots that were deleted: those that are no longer young, but for some that were published.

    Kept are the newest `keep` of those, the current one and its parent. A snapshot's manifest goes first, so that what
    remains of it after a crash is no snapshot.
    """
    seen = current(store)
    versions = list(store.list(f"{SNAPSHOTS}/"))
    ids = sorted({version.path.split("/")[2] for version in versions})
    young = {
        version.path.split("/")[2]
        for version in versions
        if (now - version.updated).total_seconds() < ORPHANED_SECONDS_MIN
    }
    kept = {*once_published(store)[-keep:], *young, *((seen.pointer.snapshot, seen.manifest.parent) if seen else ())}
    doomed = [each for each in ids if each not in kept]
    for snapshot in doomed:
        paths = [version.path for version in versions if version.path.split("/")[2] == snapshot]
        for path in sorted(paths, key=lambda each: not each.endswith(f"/{MANIFEST}")):
            store.delete(path)
    return doomed
