"""The messages of the derive protocol (protocol reference, section 4). Their legal order is in `derive_session`."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Raw

from python.protocol.capture import Spec
from python.protocol.flow import (
    PROTOCOL_VERSION,
    CollectionSpec,
    ConnectorState,
    OAuth2,
    RangeSpec,
    UUIDParts,
)
from python.protocol.wire import ABSENT, Document, FromConnector, FromRuntime

__all__ = [
    "REQUESTS",
    "RESPONSES",
    "Flush",
    "Flushed",
    "Open",
    "Opened",
    "Published",
    "Read",
    "Reset",
    "Shuffle",
    "Spec",
    "SpecResponse",
    "StartCommit",
    "StartedCommit",
    "Validate",
    "ValidateTransform",
    "Validated",
    "ValidatedTransform",
]

_EMPTY = Raw(b"{}")


class ValidateTransform(FromRuntime, frozen=True, kw_only=True):
    """A transform to validate; `shuffle_lambda_config` is absent where the shuffle is no lambda."""

    name: str = ""
    collection: CollectionSpec = CollectionSpec()
    shuffle_lambda_config: Raw = ABSENT
    lambda_config: Raw = Raw(b"null")
    backfill: int = 0


class Validate(FromRuntime, frozen=True, kw_only=True):
    """Asks whether the derivation could be run.

    `shuffle_key_types` are `BOOLEAN`, `INTEGER` or `STRING`. `project_root` is a URL; `import_map` maps relative JSON
    pointers of the config to absolute URLs, where generated files go.
    """

    connector_type: str = ""
    config: Raw = _EMPTY
    collection: CollectionSpec = CollectionSpec()
    transforms: tuple[ValidateTransform, ...] = ()
    shuffle_key_types: tuple[str, ...] = ()
    project_root: str = ""
    import_map: dict[str, str] = {}
    last_collection: CollectionSpec | None = None
    last_version: str = ""


class Open(FromRuntime, frozen=True, kw_only=True):
    """Starts deriving `collection` (with its `derivation`) from `state`, for the keys in `range` (None: all)."""

    collection: CollectionSpec = CollectionSpec()
    version: str = ""
    range: RangeSpec | None = None
    state: Raw = ABSENT


class Shuffle(FromRuntime, frozen=True, kw_only=True):
    """Where a document was shuffled to: its key as a JSON array or a packed FoundationDB tuple, and its 32-bit hash."""

    key: Raw = ABSENT
    packed: bytes = b""
    hash: int = 0


class Read(FromRuntime, frozen=True, kw_only=True):
    """A document read by the transform with this index. `shuffle` may be absent outside of production."""

    transform: int = 0
    uuid: UUIDParts | None = None
    shuffle: Shuffle | None = None
    doc: Raw = _EMPTY


class Flush(FromRuntime, frozen=True, kw_only=True):
    """Asks for every document that the reads so far give."""


class StartCommit(FromRuntime, frozen=True, kw_only=True):
    """The runtime starts to commit. `runtime_checkpoint` is advisory and opaque."""

    runtime_checkpoint: Raw = ABSENT


class Reset(FromRuntime, frozen=True, kw_only=True):
    """Forget all state, as if newly opened. Tests only."""


class SpecResponse(FromConnector, frozen=True, kw_only=True):
    """What the connector is; `resource_config_schema` is the schema of a transform's lambda."""

    config_schema: Raw
    resource_config_schema: Raw
    documentation_url: str = ""
    oauth2: OAuth2 | None = None
    protocol: int = 0

    @classmethod
    def of(cls, **members: object) -> SpecResponse:
        """Return the response with `protocol` set: a default there would be omitted on the wire."""
        return cls(protocol=PROTOCOL_VERSION, **members)  # type: ignore[arg-type] # passed through, checked by msgspec


class ValidatedTransform(FromConnector, frozen=True, kw_only=True):
    """A transform that could be run; `read_only` promises that it neither uses nor changes the task's state."""

    read_only: bool = False


class Validated(FromConnector, frozen=True, kw_only=True):
    """One entry a transform, in order. `generated_files` maps absolute URLs to content."""

    transforms: tuple[ValidatedTransform, ...] = ()
    generated_files: dict[str, str] = {}


class Opened(FromConnector, frozen=True, kw_only=True):
    """Deriving has begun."""


class Published(FromConnector, frozen=True, kw_only=True):
    """A document of the derived collection. `doc` is a JSON object: raw text, or a mapping written without loss."""

    doc: Document


class Flushed(FromConnector, frozen=True, kw_only=True):
    """Every document of the reads before Flush is out. The newer runtime takes `state` here."""

    state: ConnectorState | None = None


class StartedCommit(FromConnector, frozen=True, kw_only=True):
    """The connector is ready for the commit, with which `state` commits too."""

    state: ConnectorState | None = None


REQUESTS: Mapping[str, type[FromRuntime]] = {
    "read": Read,
    "spec": Spec,
    "validate": Validate,
    "open": Open,
    "flush": Flush,
    "startCommit": StartCommit,
    "reset": Reset,
}
RESPONSES: Mapping[str, type[FromConnector]] = {
    "published": Published,
    "spec": SpecResponse,
    "validated": Validated,
    "opened": Opened,
    "flushed": Flushed,
    "startedCommit": StartedCommit,
}
