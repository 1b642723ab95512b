"""What a capture connector is given: the requests of the protocol, with configs and states as its author declared.

Authors import these names from `python.capture`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic

import msgspec

from python.connector import EndpointConfig, ResourceConfig, State, plain
from python.protocol import document
from python.protocol.capture import Captured, Checkpoint, DiscoveredBinding, SourcedSchema
from python.protocol.flow import CaptureSpec, CollectionSpec, RangeSpec
from python.protocol.patch import merge_patch

__all__ = [
    "STATES",
    "Apply",
    "Binding",
    "Open",
    "Validate",
    "discovered",
]

STATES = "bindingStateV1"
"""The member of a task's state that holds the states of its bindings by state key: a convention of all connectors."""


class Binding(msgspec.Struct, Generic[ResourceConfig, State], frozen=True, kw_only=True):
    """One binding to capture. `state` is what its last committed checkpoint said; None before there was one."""

    index: int
    resource: ResourceConfig
    resource_path: tuple[str, ...]
    collection: CollectionSpec
    state_key: str
    backfill: int
    state: State | None

    def captured(self, doc: Mapping[str, object] | msgspec.Raw) -> Captured:
        """Return the message that captures `doc`, a JSON object, for this binding."""
        return Captured(binding=self.index, doc=doc)

    def checkpoint(self, state: State | Mapping[str, object]) -> Checkpoint:
        """Return the checkpoint after which this binding resumes from `state`; the other bindings keep theirs.

        `state` is merged into what is stored (RFC 7396): members it leaves out stay, members that are None go.
        """
        return Checkpoint(state=merge_patch({STATES: {self.state_key: plain(state)}}))

    def sourced_schema(self, schema: Mapping[str, object]) -> SourcedSchema:
        """Return the message that tells the source's own, closed schema of this binding."""
        return SourcedSchema(binding=self.index, document_schema=msgspec.Raw(document.encode(schema)))


class Validate(msgspec.Struct, Generic[EndpointConfig, ResourceConfig], frozen=True, kw_only=True):
    """A request to check config and bindings; `resources` are in the order of the answer."""

    name: str
    config: EndpointConfig
    resources: tuple[ResourceConfig, ...]


class Apply(msgspec.Struct, Generic[EndpointConfig, ResourceConfig, State], frozen=True, kw_only=True):
    """A request to prepare the endpoint. `last` is the spec applied before, whose config may be sealed."""

    name: str
    config: EndpointConfig
    bindings: tuple[Binding[ResourceConfig, State], ...]
    state: Mapping[str, Any]
    last: CaptureSpec | None


class Open(msgspec.Struct, Generic[EndpointConfig, ResourceConfig, State], frozen=True, kw_only=True):
    """A request to capture. `state` is the whole task's; each binding has its own part. `range` is our share."""

    name: str
    config: EndpointConfig
    bindings: tuple[Binding[ResourceConfig, State], ...]
    state: Mapping[str, Any]
    range: RangeSpec
    interval_seconds: int


def discovered(name: str, schema: Mapping[str, object], *, key: Iterable[str], resource: object) -> DiscoveredBinding:
    """Return a discovered binding: the collection's proposed `name`, JSON Schema and key, and its resource config."""
    return DiscoveredBinding(
        recommended_name=name,
        resource_config=msgspec.Raw(document.encode(plain(resource))),
        document_schema=msgspec.Raw(document.encode(schema)),
        key=tuple(key),
    )
