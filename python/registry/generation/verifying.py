"""Whether what is published is what was published: sums, signature, and the copies at the fixed paths."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from python.registry.generation.snapshots import (
    FIXED,
    MANIFEST,
    PUBLISHED,
    SIGNATURE,
    Manifest,
    SnapshotError,
    current,
    manifest_of,
    path_in,
    read,
)
from python.registry.store import NotFoundError, Store

__all__ = ["faults"]


def faults(store: Store, snapshot: str | None = None, public_key: bytes | None = None) -> Iterator[str]:
    """Yield a sentence for each thing that is wrong with a snapshot, by default the current one with its copies.

    With `public_key`, a PEM, it has to be signed by that key.
    """
    try:
        seen = current(store)
        if seen is None and snapshot is None:
            yield "nothing was ever published here"
            return
        manifest = manifest_of(store, snapshot) if snapshot else seen.manifest if seen else None
    except SnapshotError as error:
        yield str(error)
        return
    assert manifest is not None  # noqa: S101 -- mypy cannot tell
    yield from _broken(store, manifest)
    if public_key is not None:
        yield from _unsigned(store, manifest.id, public_key)
    if snapshot is None:
        yield from _other_copies(store, manifest)


def _broken(store: Store, manifest: Manifest) -> Iterator[str]:
    return filter(None, (_fault(store, manifest, name) for name in manifest.files))


def _fault(store: Store, manifest: Manifest, name: str) -> str | None:
    try:
        read(store, manifest, name)
    except SnapshotError as error:
        return str(error)
    return None


def _unsigned(store: Store, snapshot: str, public_key: bytes) -> Iterator[str]:
    from python.registry.generation.signing import check  # noqa: PLC0415 -- a package that most do not need

    try:
        signature = store.get(path_in(snapshot, SIGNATURE)).data
    except NotFoundError:
        yield f"snapshot {snapshot} is not signed"
        return
    why = check(store.get(path_in(snapshot, MANIFEST)).data, signature, public_key)
    if why:
        yield f"snapshot {snapshot}: {why}"


def _other_copies(store: Store, manifest: Manifest) -> Iterator[str]:
    for name in PUBLISHED:
        try:
            digest = hashlib.sha256(store.get(f"{FIXED}/{name}").data).hexdigest()
        except NotFoundError:
            digest = None
        if name in manifest.files and digest != manifest.files[name].sha256:
            what = "is missing" if digest is None else f"is not that of snapshot {manifest.id}"
            yield f"{FIXED}/{name} {what}: the next `headwater registry generate` mends it"
