"""The copies in `latest/` and `release_candidate/`, which Airbyte's readers look for: derived, whole, never missing.

Each copy is replaced in place, its `metadata.yaml` after the rest; nothing is deleted before. What makes two writers
safe: each reads the copy's `metadata.yaml` first and the versions afterwards, and writes only where nobody else has
written since. So the last to write has seen all versions; the other begins anew (decision 0140).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping

from python.registry.generation.listing import METADATA, advertised
from python.registry.service.layout import (
    CANDIDATE,
    FILES,
    LATEST,
    MARKER,
    YANKED,
    At,
    found,
    versions_in,
)
from python.registry.store import ABSENT, ConflictError, NotFoundError, Store, StoreError, Unchanged, When

__all__ = ["Advertised", "advertised_in", "settle"]

_TRIES_MAX = 20  # each is lost only to somebody who wrote the same connector meanwhile

_OWN = {FILES, YANKED, "oss.json", "cloud.json", "versions.json"}
"""Files beside a version's own: claims and markers are not copied, entries and lists are the registry's to write."""

Advertised = Mapping[str, str | None]
"""The version that each copy is of, by the copy's name; None where there is none."""


def settle(store: Store, repository: str) -> int:
    """The copies of `repository` are what follows from its versions. Return how many objects had to be written."""
    return sum(_settled(store, repository, copy) for copy in (LATEST, CANDIDATE))


def advertised_in(repository: str, names: Mapping[str, Iterable[str]]) -> Advertised:
    """Return the versions that the copies of `repository` are of, where its folders have the files `names`."""
    versions = {version: files for version, files in names.items() if version not in (LATEST, CANDIDATE)}
    chosen = advertised(
        f"{METADATA}{repository}/{version}/{name}" for version in versions for name in versions[version]
    )
    return {LATEST: chosen.latest, CANDIDATE: chosen.candidate}


def _settled(store: Store, repository: str, copy: str) -> int:
    for _ in range(_TRIES_MAX):
        with contextlib.suppress(ConflictError):
            return sum(_writes(store, repository, copy))
    raise StoreError(f"{repository}/{copy}: others write it all the time; try again")


def _writes(store: Store, repository: str, copy: str) -> Iterator[int]:
    """Do what is lacking, and yield a 1 for each write. Raises ConflictError where somebody else wrote meanwhile."""
    target = At(repository, copy)
    when, there = _seen(store, target.path(MARKER))  # before the versions are listed
    names = versions_in(store, repository)
    version = advertised_in(repository, names)[copy]
    if version is None:
        if copy == CANDIDATE and isinstance(when, Unchanged):
            store.delete(target.path(MARKER), when=when)
            yield 1
        return  # a connector whose every version is yanked keeps its last copy: Airbyte's readers know no gaps
    source = At(repository, version)
    wanted = sorted(names[version] - _OWN - {MARKER})
    for name in wanted if copy == LATEST else ():
        data = store.get(source.path(name)).data
        if found(store, target.path(name)) != data:
            store.put(target.path(name), data, cache_control="no-cache")
            yield 1
    marker = store.get(source.path(MARKER)).data
    if there != marker:
        store.put(target.path(MARKER), marker, when=when, cache_control="no-cache")
        yield 1
    yield from _removed(store, target, names.get(copy, frozenset()) - {*wanted, MARKER})


def _seen(store: Store, path: str) -> tuple[When, bytes | None]:
    try:
        blob = store.get(path)
    except NotFoundError:
        return ABSENT, None
    return Unchanged(blob.version.generation), blob.data


def _removed(store: Store, target: At, names: Iterable[str]) -> Iterator[int]:
    for name in sorted(set(names) - _OWN):
        store.delete(target.path(name))
        yield 1
