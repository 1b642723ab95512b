"""The tasks of a specification that read collections, as values: derivations and materializations.

JSON members (configs, lambdas, resources) are plain Python values.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from python.runner.endpoints import ImageEndpoint, LocalEndpoint, Shards
from python.runner.problems import Where

__all__ = ["DerivationTask", "Fields", "MaterializationTask", "Source", "StoredBinding", "Transform"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """A collection to read. `include` and `exclude` map partition fields to values; the times bound its publishing."""

    collection: str
    include: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    exclude: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    not_before: dt.datetime | None = None
    not_after: dt.datetime | None = None
    where: Where


@dataclass(frozen=True, kw_only=True)
class Transform:
    """A transform of a derivation. `shuffle` are JSON pointers; None where any process may read any document.

    `lambda_` is None where there is none. Of a shuffle that is a lambda only `shuffle_lambda` tells.
    """

    name: str
    source: Source
    shuffle: tuple[str, ...] | None = None
    shuffle_lambda: bool = False
    lambda_: object = None
    priority: int = 0
    read_delay_seconds: float = 0.0
    disable: bool = False
    backfill: int = 0
    where: Where


@dataclass(frozen=True, kw_only=True)
class DerivationTask:
    """How the collection `name` is derived.

    `endpoint` is None for the engines that are part of Flow itself: then `using` names one of them.
    """

    kind: ClassVar[str] = "derivation"
    name: str
    endpoint: LocalEndpoint | ImageEndpoint | None
    using: str
    transforms: tuple[Transform, ...]
    shuffle_key_types: tuple[str, ...] = ()
    shards: Shards = field(default_factory=Shards)
    secrets: Mapping[str, str] = field(default_factory=dict)
    where: Where


@dataclass(frozen=True, kw_only=True)
class Fields:
    """The user's choice of fields. `depth_max` bounds recommended ones: tokens of their pointers; None has no bound."""

    depth_max: int | None = None
    require: Mapping[str, object] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StoredBinding:
    """A collection, and the resource of the endpoint that it is stored to."""

    resource: object
    source: Source
    disable: bool = False
    priority: int = 0
    fields: Fields = Fields()
    backfill: int = 0
    on_incompatible: str = "backfill"
    where: Where


@dataclass(frozen=True, kw_only=True)
class MaterializationTask:
    """A materialization, with all its bindings. `endpoint` is None for Dekaf, which is a service of Flow's own."""

    kind: ClassVar[str] = "materialization"
    name: str
    endpoint: LocalEndpoint | ImageEndpoint | None
    bindings: tuple[StoredBinding, ...]
    shards: Shards = field(default_factory=Shards)
    secrets: Mapping[str, str] = field(default_factory=dict)
    where: Where
