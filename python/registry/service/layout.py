"""Where a version's files are in a bucket: Airbyte's layout, with three files of ours (decision 0140).

`metadata/<dockerRepository>/<version>/` holds what was uploaded together. `metadata.yaml` is written last: a folder
without it is no version. `files.json`, written first, says which files belong to it, with their sums. The copies in
`latest/` and `release_candidate/` follow from the versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from python.registry.generation.listing import ICON, METADATA, YANKED
from python.registry.store import NotFoundError, Store

__all__ = [
    "CANDIDATE",
    "CATALOG",
    "CLOUD_SPEC",
    "COMPONENTS",
    "DEPENDENCIES",
    "DOC",
    "FILES",
    "ICON",
    "INAPP",
    "LATEST",
    "MANIFEST",
    "MARKER",
    "SPEC",
    "YANKED",
    "At",
    "Sum",
    "found",
    "versions_in",
]

MARKER = "metadata.yaml"
FILES = "files.json"
DOC = "doc.md"
INAPP = "doc.inapp.md"
MANIFEST = "manifest.yaml"
COMPONENTS = "components.zip"
SPEC = "spec.json"
CLOUD_SPEC = "spec.cloud.json"
DEPENDENCIES = "dependencies.json"
CATALOG = "catalog.json"
LATEST = "latest"
CANDIDATE = "release_candidate"


class Sum(msgspec.Struct, frozen=True):
    """What a file is to be: its size in bytes, and its sum."""

    size: int
    sha256: str


class At(NamedTuple):
    """One version of one connector: the folder of its files."""

    repository: str
    version: str

    def path(self, name: str) -> str:
        """Return where its file called `name` is."""
        return f"{METADATA}{self.repository}/{self.version}/{name}"

    def __str__(self) -> str:
        return f"{self.repository}:{self.version}"


def found(store: Store, path: str) -> bytes | None:
    """Return what the object at `path` holds, None where there is none."""
    try:
        return store.get(path).data
    except NotFoundError:
        return None


def versions_in(store: Store, repository: str) -> Mapping[str, frozenset[str]]:
    """Return the names of the files of each folder of `repository`, copies and unfinished versions too."""
    root = f"{METADATA}{repository}/"
    names: dict[str, set[str]] = {}
    for each in store.list(root):
        version, _, name = each.path.removeprefix(root).partition("/")
        if name and "/" not in name:
            names.setdefault(version, set()).add(name)
    return {version: frozenset(each) for version, each in names.items()}
