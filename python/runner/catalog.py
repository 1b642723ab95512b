"""What a specification says, as values: tasks, bindings and collections, each with the place it came from.

`load_catalog` in `loading` makes them. JSON members (configs, resources, schemas) are plain Python values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from python.runner.catalog_readers import DerivationTask, MaterializationTask
from python.runner.catalog_tests import CatalogTest
from python.runner.endpoints import ImageEndpoint, LocalEndpoint, Shards
from python.runner.problems import CatalogError, Where, suggestion

__all__ = [
    "INTERVAL_SECONDS_DEFAULT",
    "AutoDiscover",
    "CaptureBinding",
    "CaptureTask",
    "Catalog",
    "CatalogTest",
    "Collection",
    "ExplicitProjection",
    "ImageEndpoint",
    "LocalEndpoint",
    "Shards",
]

INTERVAL_SECONDS_DEFAULT = 300
"""From the start of one session of a capture to the start of the next, where the capture does not say."""


@dataclass(frozen=True, kw_only=True)
class CaptureBinding:
    """A resource of a capture's endpoint, and the collection it is captured into."""

    resource: object
    target: str
    disable: bool = False
    backfill: int = 0
    where: Where


@dataclass(frozen=True, kw_only=True)
class AutoDiscover:
    """What Flow's control plane does with what a discovery brings; a laptop's runner does it on request only."""

    add_new_bindings: bool = False
    evolve_incompatible_collections: bool = False


@dataclass(frozen=True, kw_only=True)
class CaptureTask:
    """A capture, with all its bindings, in the file's order, the disabled ones included.

    `secrets` maps JSON pointers of the config to names of secrets that only Flow's control plane knows.
    """

    kind: ClassVar[str] = "capture"
    name: str
    endpoint: LocalEndpoint | ImageEndpoint
    bindings: tuple[CaptureBinding, ...]
    interval_seconds: int = INTERVAL_SECONDS_DEFAULT
    auto_discover: AutoDiscover | None = None
    shards: Shards = field(default_factory=Shards)
    secrets: Mapping[str, str] = field(default_factory=dict)
    where: Where


@dataclass(frozen=True, kw_only=True)
class ExplicitProjection:
    """A projection that the user wrote: the location `ptr` is called `field`, and perhaps partitions by it."""

    field: str
    ptr: str
    partition: bool = False
    where: Where


@dataclass(frozen=True, kw_only=True)
class Collection:
    """A set of documents with a schema and a key of JSON pointers.

    Schemas are bundled: references to other files became `$defs`. `read_schema` is None where one schema serves for
    both. `derive` is how the collection is derived, or None.
    """

    name: str
    key: tuple[str, ...]
    write_schema: Mapping[str, object] | bool
    read_schema: Mapping[str, object] | bool | None = None
    projections: tuple[ExplicitProjection, ...] = ()
    derive: DerivationTask | None = None
    where: Where


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """All that one specification file and its imports define, by name. `files` are these, as absolute paths."""

    source: Path
    files: frozenset[Path] = frozenset()
    captures: Mapping[str, CaptureTask]
    collections: Mapping[str, Collection]
    materializations: Mapping[str, MaterializationTask]
    tests: Mapping[str, CatalogTest]

    def capture(self, name: str | None = None, *, flag: str = "--capture") -> CaptureTask:
        """Return the capture `name`, or the only one. `flag` is the option that the user would name it with.

        Raises CatalogError where there is none, or several and no name.
        """
        names = ", ".join(sorted(self.captures)) or "none"
        if name is not None and name not in self.captures:
            hint = suggestion(name, self.captures)
            raise CatalogError.at(Where(self.source), f"defines no capture {name!r}{hint}; its captures are: {names}")
        if name is None and len(self.captures) != 1:
            advice = f"choose one with {flag}: {names}" if self.captures else "add one under `captures`"
            raise CatalogError.at(Where(self.source), f"defines {len(self.captures)} captures; {advice}")
        return self.captures[name] if name is not None else next(iter(self.captures.values()))
