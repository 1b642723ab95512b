"""What a bucket's listing says of connectors: which versions are there, and which of them are advertised.

The folders of versions are the truth; which one is the latest, and which a release candidate, follows from their names,
by semantic versions, whatever `latest/` holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
import semver

from python.registry.metadata.numbering import Kind, kind_of, number
from python.registry.store import Store, Version

__all__ = [
    "COPIES",
    "DEPENDENCIES",
    "ICON",
    "METADATA",
    "METRICS",
    "READ",
    "SPECS",
    "WRITTEN",
    "YANKED",
    "Advertised",
    "Listing",
    "advertised",
    "listing_of",
    "misnamed",
    "repository_of",
    "versions_of",
]

METADATA = "metadata/"
SPECS = "specs/"
DEPENDENCIES = "connector_dependencies/"
METRICS = "connector_metrics/"
ICON = "icon.svg"
YANKED = "version-yank.yml"

READ = frozenset({"metadata.yaml", "spec.json", "spec.cloud.json", "dependencies.json", ICON, YANKED})

WRITTEN = frozenset({"oss.json", "cloud.json"})
"""Entries beside versions: the generator's own."""

_KNOWN = READ | WRITTEN

COPIES = frozenset({"latest", "release_candidate"})
"""Folders beside the versions that hold copies of one of them."""


class Listing(msgspec.Struct, frozen=True):
    """`connectors` has each repository's own files that matter to its entry, with their generations, by path.

    Among them are the entries beside its versions, which are ours. `files` are all that may be read; the newest file of
    metrics is there as METRICS, whatever it is called.
    """

    connectors: Mapping[str, Mapping[str, str]]
    files: Mapping[str, Version]


class Advertised(NamedTuple):
    """The versions of a connector that a registry tells of: None where it has none."""

    latest: str | None
    candidate: str | None


def listing_of(store: Store) -> Listing:
    """Return what the bucket holds now. Reads names alone."""
    connectors: dict[str, dict[str, str]] = {}
    files: dict[str, Version] = {}
    folder, own, tag = "", dict[str, str](), ""
    for version in store.list(METADATA, _KNOWN):  # a hundred thousand: what is of the same folder is worked out once
        path = version.path
        within, _, name = path.rpartition("/")
        if within != folder:
            folder = within
            repository, _, tag = within[len(METADATA) :].rpartition("/")
            own = connectors.setdefault(repository, {})
        if name in WRITTEN or name == ICON or tag not in COPIES:
            files[path] = version
            own[path] = version.generation
    for prefix in (SPECS, DEPENDENCIES):
        files.update((version.path, version) for version in store.list(prefix))
    metrics = [version for version in store.list(METRICS) if version.path.endswith(".jsonl")]
    if metrics:
        files[METRICS] = max(metrics, key=lambda each: (each.updated, each.path))
    known = {name: paths for name, paths in connectors.items() if name and any(map(_is_metadata, paths))}
    return Listing(known, files)


def _is_metadata(path: str) -> bool:
    return path.endswith("/metadata.yaml")


def repository_of(path: str) -> str:
    """Return the repository that a file below METADATA is of.

    >>> repository_of("metadata/airbyte/source-faker/1.0.0/metadata.yaml")
    'airbyte/source-faker'
    """
    return path.removeprefix(METADATA).rsplit("/", 2)[0]


def advertised(paths: Iterable[str]) -> Advertised:
    """Return the latest version among a connector's `paths`, and the newest release candidate above it.

    What is yanked is neither, nor is any other pre-release, nor a folder that is called by no semantic version.

    >>> advertised(f"metadata/a/{tag}/metadata.yaml" for tag in ["1.9.0", "1.10.0", "1.11.0-rc.1", "2.0.0-dev.1"])
    Advertised(latest='1.10.0', candidate='1.11.0-rc.1')
    """
    tags = versions_of(paths)
    latest = max((tag for tag in tags if kind_of(tag) is Kind.RELEASE), key=number, default=None)
    candidates = [tag for tag in tags if kind_of(tag) is Kind.CANDIDATE]
    above = [tag for tag in candidates if latest is None or number(tag) > number(latest)]
    return Advertised(latest, max(above, key=number, default=None))


def versions_of(paths: Iterable[str]) -> list[str]:
    """Return the semantic versions among a connector's `paths` that have metadata and are not yanked."""
    parts = [path.rsplit("/", 2)[1:] for path in paths]
    yanked = {tag for tag, name in parts if name == YANKED}
    tags = {tag for tag, name in parts if name == "metadata.yaml"} - yanked
    return sorted(tag for tag in tags if semver.Version.is_valid(tag))


def misnamed(paths: Iterable[str]) -> list[str]:
    """Return the folders among a connector's `paths` that have metadata, and are called by no semantic version."""
    tags = {path.rsplit("/", 2)[1] for path in paths if _is_metadata(path)} - COPIES
    return sorted(tag for tag in tags if not semver.Version.is_valid(tag))
