"""The messages of the materialize protocol (protocol reference, section 5).

Their legal order is in `materialize_session`.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Raw

from python.protocol.capture import Applied, Spec
from python.protocol.derive import Flush, SpecResponse, StartCommit, StartedCommit
from python.protocol.flow import (
    CollectionSpec,
    ConnectorState,
    MaterializationSpec,
    RangeSpec,
    SerPolicy,
)
from python.protocol.wire import ABSENT, Document, FromConnector, FromRuntime

__all__ = [
    "REQUESTS",
    "RESPONSES",
    "Acknowledge",
    "Acknowledged",
    "Applied",
    "Apply",
    "Constraint",
    "Flush",
    "Flushed",
    "Load",
    "Loaded",
    "Open",
    "Opened",
    "Spec",
    "SpecResponse",
    "StartCommit",
    "StartedCommit",
    "Store",
    "Validate",
    "ValidateBinding",
    "Validated",
    "ValidatedBinding",
]

_EMPTY = Raw(b"{}")


class ValidateBinding(FromRuntime, frozen=True, kw_only=True):
    """A binding to validate: where to (`resource_config`), what from, and the user's config of single fields."""

    resource_config: Raw = _EMPTY
    collection: CollectionSpec = CollectionSpec()
    field_config: dict[str, Raw] = {}
    backfill: int = 0
    group_by: tuple[str, ...] = ()


class Validate(FromRuntime, frozen=True, kw_only=True):
    """Asks which fields of which collections could be stored. Has no side effects."""

    name: str = ""
    connector_type: str = ""
    config: Raw = _EMPTY
    bindings: tuple[ValidateBinding, ...] = ()
    last_materialization: MaterializationSpec | None = None
    last_version: str = ""


class Apply(FromRuntime, frozen=True, kw_only=True):
    """Asks to prepare the endpoint for `materialization`. May come again with the same content."""

    materialization: MaterializationSpec = MaterializationSpec()
    version: str = ""
    last_materialization: MaterializationSpec | None = None
    last_version: str = ""
    state: Raw = ABSENT


class Open(FromRuntime, frozen=True, kw_only=True):
    """Starts materializing from `state`, for the keys in `range` (None: all of them)."""

    materialization: MaterializationSpec = MaterializationSpec()
    version: str = ""
    range: RangeSpec | None = None
    state: Raw = ABSENT


class Load(FromRuntime, frozen=True, kw_only=True, gc=False):
    """Asks for the stored document with this key: a JSON array, or a packed FoundationDB tuple from older runtimes."""

    binding: int = 0
    key: Raw = ABSENT
    key_packed: bytes = b""


class Store(FromRuntime, frozen=True, kw_only=True, gc=False):
    """A document to store.

    `values` are the selected fields, `doc` the whole document where that is selected. `exists` says that the key is
    in the endpoint; `delete` (which implies it) that it must go.
    """

    binding: int = 0
    key: Raw = ABSENT
    key_packed: bytes = b""
    values: Raw = ABSENT
    values_packed: bytes = b""
    doc: Raw = ABSENT
    exists: bool = False
    delete: bool = False


class Acknowledge(FromRuntime, frozen=True, kw_only=True):
    """The last transaction has committed. The first one of a session speaks of the session before.

    `state_patches`, from newer runtimes, are the merge patches of all shards.
    """

    state_patches: Raw = ABSENT


class Constraint(FromConnector, frozen=True, kw_only=True):
    """Whether a field can be stored.

    `type` is one of INVALID, FIELD_REQUIRED, LOCATION_REQUIRED, LOCATION_RECOMMENDED, FIELD_OPTIONAL,
    FIELD_FORBIDDEN, INCOMPATIBLE, UNSATISFIABLE. `folded_field` is the endpoint's spelling of the field.
    """

    type: str
    reason: str = ""
    folded_field: str = ""


class ValidatedBinding(FromConnector, frozen=True, kw_only=True):
    """A binding's identity and what may become of each of its fields."""

    constraints: dict[str, Constraint] = {}
    resource_path: tuple[str, ...] = ()
    delta_updates: bool = False
    ser_policy: SerPolicy | None = None
    case_insensitive_fields: bool = False


class Validated(FromConnector, frozen=True, kw_only=True):
    """As many bindings as asked, in the same order."""

    bindings: tuple[ValidatedBinding, ...] = ()


class Opened(FromConnector, frozen=True, kw_only=True):
    """Materializing has begun. `runtime_checkpoint` is the endpoint's own, where the endpoint is the authority."""

    runtime_checkpoint: Raw = ABSENT
    disable_load_optimization: bool = False


class Loaded(FromConnector, frozen=True, kw_only=True, gc=False):
    """A stored document whose key was loaded in this transaction. `doc`: raw text, or a mapping written losslessly."""

    doc: Document
    binding: int = 0


class Flushed(FromConnector, frozen=True, kw_only=True):
    """Every stored document that was asked for is out; `state` is durable before the stores that follow."""

    state: ConnectorState | None = None


class Acknowledged(FromConnector, frozen=True, kw_only=True):
    """The last transaction is readable in the endpoint; `state` is kept on a best effort only."""

    state: ConnectorState | None = None


REQUESTS: Mapping[str, type[FromRuntime]] = {
    "store": Store,
    "load": Load,
    "spec": Spec,
    "validate": Validate,
    "apply": Apply,
    "open": Open,
    "flush": Flush,
    "startCommit": StartCommit,
    "acknowledge": Acknowledge,
}
RESPONSES: Mapping[str, type[FromConnector]] = {
    "loaded": Loaded,
    "spec": SpecResponse,
    "validated": Validated,
    "applied": Applied,
    "opened": Opened,
    "flushed": Flushed,
    "startedCommit": StartedCommit,
    "acknowledged": Acknowledged,
}
