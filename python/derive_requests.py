"""What a derivation is given: the requests of the protocol, with configs and state as its author declared them.

Authors import these names from `python.derive`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic

import msgspec

from python.connector import EndpointConfig, ResourceConfig, State
from python.protocol.flow import CollectionSpec, RangeSpec

__all__ = ["Open", "Transform", "Validate"]


class Transform(msgspec.Struct, Generic[ResourceConfig], frozen=True, kw_only=True):
    """A transform: documents of `collection` are read by it. `index` is its place among the open ones."""

    index: int
    name: str
    collection: CollectionSpec
    lambda_config: ResourceConfig


class Validate(msgspec.Struct, Generic[EndpointConfig, ResourceConfig], frozen=True, kw_only=True):
    """A request to check config and transforms of the derived `collection`.

    `project_root` is a URL; `import_map` maps JSON pointers of the config to URLs. Generated files go there.
    """

    collection: CollectionSpec
    config: EndpointConfig
    transforms: tuple[Transform[ResourceConfig], ...]
    project_root: str
    import_map: Mapping[str, str]


class Open(msgspec.Struct, Generic[EndpointConfig, ResourceConfig, State], frozen=True, kw_only=True):
    """A request to derive `collection`, for the keys that hash into `range`. `state` is None before the first commit.

    The runtime shuffles the documents by key: they are not to be filtered by `range` again.
    """

    collection: CollectionSpec
    config: EndpointConfig
    transforms: tuple[Transform[ResourceConfig], ...]
    state: State | None
    range: RangeSpec
