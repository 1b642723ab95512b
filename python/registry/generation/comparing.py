"""What differs between two snapshots: which connectors came, went and changed, and whom that breaks."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterator

import msgspec

from python.registry.generation.entries import Registry
from python.registry.generation.gates import compared
from python.registry.generation.plans import INPUTS, Change, Connector, Inputs
from python.registry.generation.registries import Entries, entries_of
from python.registry.generation.snapshots import REGISTRY_FILES, Manifest, SnapshotError, manifest_of, read
from python.registry.store import Store

__all__ = ["differences", "entries_by_repository"]


def differences(store: Store, old: str, new: str) -> Iterator[Change]:
    """Yield what the snapshot `new` has otherwise than `old`, by repository, and what that is to users.

    Raises SnapshotError where one of them is missing or broken.
    """
    before, after = (manifest_of(store, snapshot) for snapshot in (old, new))
    was, now = _inputs(store, before), _inputs(store, after)
    had, has = entries_by_repository(store, before, was), entries_by_repository(store, after, now)
    for name in sorted(had.keys() | has.keys()):
        old_entries, new_entries = had.get(name, {}), has.get(name, {})
        if _texts(old_entries) == _texts(new_entries):
            continue
        what = "changed" if old_entries and new_entries else "added" if new_entries else "removed"
        found = compared(old_entries, new_entries)
        yield Change(
            repository=name,
            what=what,
            old=was.connectors.get(name, Connector()).latest if old_entries else None,
            new=now.connectors.get(name, Connector()).latest if new_entries else None,
            why=found.why,
            level=found.level.word if found.level else None,
            breaking=found.breaking,
        )


def entries_by_repository(store: Store, manifest: Manifest, inputs: Inputs) -> dict[str, Entries]:
    """Return the entries of a snapshot by repository and registry. Raises SnapshotError where it is broken."""
    found: dict[str, dict[Registry, msgspec.Raw]] = {}
    with concurrent.futures.ThreadPoolExecutor(len(REGISTRY_FILES)) as pool:  # large files: each takes a core to hash
        files = pool.map(lambda file: read(store, manifest, file), REGISTRY_FILES.values())
        for registry, data in zip(REGISTRY_FILES, files, strict=True):
            known = inputs.connectors.items()
            places = {name: each.places[registry] for name, each in known if registry in each.places}
            for repository, raw in entries_of(data, places):
                found.setdefault(repository, {})[registry] = raw
    return dict(found)


def _inputs(store: Store, manifest: Manifest) -> Inputs:
    try:
        return msgspec.json.decode(read(store, manifest, INPUTS), type=Inputs)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SnapshotError(f"{INPUTS} of snapshot {manifest.id} cannot be read: {error}") from None


def _texts(entries: Entries) -> dict[Registry, bytes]:
    return {registry: bytes(raw) for registry, raw in entries.items()}
