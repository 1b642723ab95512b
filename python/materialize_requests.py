"""What a materialization is given: the requests of the protocol, with configs and state as its author declared them.

Authors import these names from `python.materialize`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic

import msgspec

from python.connector import EndpointConfig, ResourceConfig, State
from python.protocol.flow import CollectionSpec, FieldSelection, MaterializationSpec, Projection, RangeSpec

__all__ = ["Apply", "Asked", "Binding", "Load", "Open", "Store", "Validate"]


class Asked(msgspec.Struct, Generic[ResourceConfig], frozen=True, kw_only=True):
    """A binding to validate.

    `field_config` is the user's config of single fields; `group_by` the fields to use as the key, where the user chose
    them; `backfill` counts how often the resource was asked to be filled anew. `last` is the binding of the same
    resource path that was applied before, also one that is inactive now.
    """

    index: int
    resource: ResourceConfig
    resource_path: tuple[str, ...]
    delta_updates: bool
    collection: CollectionSpec
    field_config: Mapping[str, Any]
    group_by: tuple[str, ...]
    backfill: int
    last: Binding[ResourceConfig] | None


class Binding(msgspec.Struct, Generic[ResourceConfig], frozen=True, kw_only=True):
    """A binding to store. `fields` are the selected keys, values and the field of the whole document."""

    index: int
    resource: ResourceConfig
    resource_path: tuple[str, ...]
    delta_updates: bool
    collection: CollectionSpec
    fields: FieldSelection
    backfill: int
    state_key: str

    @property
    def keys(self) -> tuple[Projection, ...]:
        """The projections of `Load.key` and `Store.key`, in order."""
        return tuple(self.projection(name) for name in self.fields.keys)

    @property
    def values(self) -> tuple[Projection, ...]:
        """The projections of `Store.values`, in order."""
        return tuple(self.projection(name) for name in self.fields.values)

    @property
    def document(self) -> Projection | None:
        """The projection of `Store.doc`; None where the document is not stored whole."""
        return self.projection(self.fields.document) if self.fields.document else None

    def projection(self, field: str) -> Projection:
        """Return the collection's projection named `field`."""
        return next(found for found in self.collection.projections if found.field == field)


class Validate(msgspec.Struct, Generic[EndpointConfig, ResourceConfig], frozen=True, kw_only=True):
    """A request to say which fields of which collections can be stored. `last` is the spec applied before, if any."""

    name: str
    config: EndpointConfig
    bindings: tuple[Asked[ResourceConfig], ...]
    last: MaterializationSpec | None


class Apply(msgspec.Struct, Generic[EndpointConfig, ResourceConfig, State], frozen=True, kw_only=True):
    """A request to prepare the endpoint. `last_bindings` are those of the spec applied before, inactive ones too."""

    name: str
    version: str
    config: EndpointConfig
    bindings: tuple[Binding[ResourceConfig], ...]
    last_bindings: tuple[Binding[ResourceConfig], ...]
    state: State | None


class Open(msgspec.Struct, Generic[EndpointConfig, ResourceConfig, State], frozen=True, kw_only=True):
    """A request to materialize the keys that hash into `range`; fences and staged files are named by it.

    `state` is the whole task's, None before there was one.
    """

    name: str
    version: str
    config: EndpointConfig
    bindings: tuple[Binding[ResourceConfig], ...]
    state: State | None
    range: RangeSpec


class Load(msgspec.Struct, frozen=True, gc=False):
    """A key whose stored document is asked for. `key` are JSON scalars, in the order of the binding's keys."""

    binding: int
    key: tuple[Any, ...]


class Store(msgspec.Struct, frozen=True, gc=False):
    """A document to store.

    `key` and `values` are JSON values in the order of the binding's keys and values: text, `bool`, `int` of any size,
    `float` (with all digits, see `protocol.document.Number`), None, lists and dicts. `doc` is the whole document as it
    came, where it is selected. `exists`: the key is in the endpoint. `delete`: it must go.
    """

    binding: int
    key: tuple[Any, ...]
    values: tuple[Any, ...]
    doc: bytes
    exists: bool
    delete: bool
