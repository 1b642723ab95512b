"""The messages of the capture protocol (protocol reference, section 3). Their legal order is in `capture_session`."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Raw

from python.protocol.flow import (
    PROTOCOL_VERSION,
    CaptureSpec,
    CollectionSpec,
    ConnectorState,
    OAuth2,
    RangeSpec,
)
from python.protocol.wire import ABSENT, Document, FromConnector, FromRuntime

__all__ = [
    "REQUESTS",
    "RESPONSES",
    "Acknowledge",
    "Applied",
    "Apply",
    "BackfillBegin",
    "BackfillComplete",
    "Captured",
    "Checkpoint",
    "Discover",
    "Discovered",
    "DiscoveredBinding",
    "Open",
    "Opened",
    "SourcedSchema",
    "Spec",
    "SpecResponse",
    "Validate",
    "ValidateBinding",
    "Validated",
    "ValidatedBinding",
]

_EMPTY = Raw(b"{}")


class Spec(FromRuntime, frozen=True, kw_only=True):
    """Asks what the connector is. The first line of every session; `config` is usually `{}` or absent."""

    connector_type: str = ""
    config: Raw = _EMPTY


class Discover(FromRuntime, frozen=True, kw_only=True):
    """Asks which resources the endpoint has. `name` is the capture's, for identity alone, and may be empty."""

    connector_type: str = ""
    config: Raw = _EMPTY
    name: str = ""


class ValidateBinding(FromRuntime, frozen=True, kw_only=True):
    """A binding to validate: the user's `resource_config` and the collection it would be captured into."""

    resource_config: Raw = _EMPTY
    collection: CollectionSpec = CollectionSpec()
    backfill: int = 0


class Validate(FromRuntime, frozen=True, kw_only=True):
    """Asks whether the config and bindings could be run. Has no side effects.

    `last_capture` is the last published spec, whose config may be sealed, and which may never have been applied;
    `last_version` is its publication id, or empty.
    """

    name: str = ""
    connector_type: str = ""
    config: Raw = _EMPTY
    bindings: tuple[ValidateBinding, ...] = ()
    last_capture: CaptureSpec | None = None
    last_version: str = ""


class Apply(FromRuntime, frozen=True, kw_only=True):
    """Asks to prepare the endpoint for `capture`. May come again with the same content; `state` is the current one."""

    capture: CaptureSpec = CaptureSpec()
    version: str = ""
    last_capture: CaptureSpec | None = None
    last_version: str = ""
    state: Raw = ABSENT


class Open(FromRuntime, frozen=True, kw_only=True):
    """Starts capturing from `state` (`{}` for a new task), for the share of the work in `range` (None: all of it)."""

    capture: CaptureSpec = CaptureSpec()
    version: str = ""
    range: RangeSpec | None = None
    state: Raw = ABSENT


class Acknowledge(FromRuntime, frozen=True, kw_only=True):
    """The runtime has committed this many of our oldest pending checkpoints; 1 or more, one message a transaction."""

    checkpoints: int = 0


class SpecResponse(FromConnector, frozen=True, kw_only=True):
    """What the connector is.

    `config_schema` and `resource_config_schema` are JSON Schemas with Flow's form annotations.
    `resource_path_pointers` locate, in order, the parts of a binding's resource path in its resource config.
    """

    config_schema: Raw
    resource_config_schema: Raw
    documentation_url: str = ""
    oauth2: OAuth2 | None = None
    resource_path_pointers: tuple[str, ...] = ()
    protocol: int = 0

    @classmethod
    def of(cls, **members: object) -> SpecResponse:
        """Return the response with `protocol` set: a default there would be omitted on the wire."""
        return cls(protocol=PROTOCOL_VERSION, **members)  # type: ignore[arg-type] # passed through, checked by msgspec


class DiscoveredBinding(FromConnector, frozen=True, kw_only=True):
    """A resource of the endpoint, and the collection it would make.

    `key` are JSON pointers of locations that exist in every document; `is_fallback_key` says that the connector made
    one up because the source has none. `disable` proposes to leave the binding out at first.
    """

    recommended_name: str
    resource_config: Raw
    document_schema: Raw
    key: tuple[str, ...] = ()
    disable: bool = False
    resource_path: tuple[str, ...] = ()
    is_fallback_key: bool = False


class Discovered(FromConnector, frozen=True, kw_only=True):
    """The endpoint's resources, in a stable order."""

    bindings: tuple[DiscoveredBinding, ...] = ()


class ValidatedBinding(FromConnector, frozen=True, kw_only=True):
    """The identity of a binding's resource; unique within the capture."""

    resource_path: tuple[str, ...] = ()


class Validated(FromConnector, frozen=True, kw_only=True):
    """The config and bindings could be run; as many bindings as asked, in the same order."""

    bindings: tuple[ValidatedBinding, ...] = ()


class Applied(FromConnector, frozen=True, kw_only=True):
    """The endpoint is prepared; `action_description` is empty where nothing was to do. `state` asks to apply again."""

    action_description: str = ""
    state: ConnectorState | None = None


class Opened(FromConnector, frozen=True, kw_only=True):
    """Capturing has begun. With `explicit_acknowledgements` the runtime sends Acknowledge after its commits."""

    explicit_acknowledgements: bool = False


class Captured(FromConnector, frozen=True, kw_only=True):
    """A document of the binding with this index. It commits with the next checkpoint, not before.

    `doc` is a JSON object: raw text, or a mapping that is written without loss.
    """

    doc: Document
    binding: int = 0


class SourcedSchema(FromConnector, frozen=True, kw_only=True):
    """The source's own schema of a binding, closed and as narrow as is known; it counts from the next checkpoint."""

    document_schema: Raw
    binding: int = 0


class Checkpoint(FromConnector, frozen=True, kw_only=True):
    """Ends a checkpoint sequence: what was captured since the last one may commit, together with `state`."""

    state: ConnectorState | None = None


class BackfillBegin(FromConnector, frozen=True, kw_only=True):
    """A new generation of the binding's documents begins; earlier ones no longer count. Only for the first shard."""

    binding: int = 0


class BackfillComplete(FromConnector, frozen=True, kw_only=True):
    """The generation that BackfillBegin announced is complete."""

    binding: int = 0


REQUESTS: Mapping[str, type[FromRuntime]] = {
    "spec": Spec,
    "discover": Discover,
    "validate": Validate,
    "apply": Apply,
    "open": Open,
    "acknowledge": Acknowledge,
}
RESPONSES: Mapping[str, type[FromConnector]] = {
    "captured": Captured,
    "checkpoint": Checkpoint,
    "sourcedSchema": SourcedSchema,
    "spec": SpecResponse,
    "discovered": Discovered,
    "validated": Validated,
    "applied": Applied,
    "opened": Opened,
    "backfillBegin": BackfillBegin,
    "backfillComplete": BackfillComplete,
}
