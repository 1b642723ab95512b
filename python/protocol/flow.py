"""The vocabulary that Flow's three protocols share (protocol reference, sections 1, 2 and 14).

Every message is a frozen value with Flow's JSON names in camelCase. What the runtime sends tolerates unknown members
and omitted zero values; what a connector sends refuses unknown members and omits its defaults. Raw JSON members
(`config`, `state`, `doc`, schemas) are `msgspec.Raw`: the bytes as they came, parsed by whoever needs them.
"""

from __future__ import annotations

import datetime as dt

from msgspec import Raw

from python.protocol.projection import Inference, Projection
from python.protocol.wire import ABSENT, Duration, FromConnector, FromRuntime, Int64

__all__ = [
    "FULL_RANGE",
    "PROTOCOL_VERSION",
    "UUID_PLACEHOLDER",
    "CaptureBinding",
    "CaptureSpec",
    "CollectionSpec",
    "ConnectorState",
    "Derivation",
    "FieldSelection",
    "Inference",
    "MaterializationBinding",
    "MaterializationSpec",
    "NetworkPort",
    "OAuth2",
    "Projection",
    "RangeSpec",
    "SerPolicy",
    "ShardTemplate",
    "Transform",
    "UUIDParts",
]

PROTOCOL_VERSION = 3032023
"""The number that every `spec` response carries in `protocol` (rule 17)."""

UUID_PLACEHOLDER = "DocUUIDPlaceholder-329Bb50aa48EAa9ef"
"""What the runtime writes at a collection's `uuidPtr` until a document is published."""

_EMPTY = Raw(b"{}")


class RangeSpec(FromRuntime, frozen=True, kw_only=True):
    """The share of a task that one shard owns; both ends of each range are inclusive 32-bit unsigned integers.

    `key_begin` to `key_end` are hashes of keys (or of units of work, for a capture); `r_clock_begin` to `r_clock_end`
    are rotated clocks, which only read-only transforms use. On the wire an omitted end is zero: see `FULL_RANGE`.
    """

    key_begin: int = 0
    key_end: int = 0
    r_clock_begin: int = 0
    r_clock_end: int = 0

    def owns(self, key_hash: int) -> bool:
        """Whether the 32-bit `key_hash` falls to this shard."""
        return self.key_begin <= key_hash <= self.key_end


FULL_RANGE = RangeSpec(key_end=0xFFFF_FFFF, r_clock_end=0xFFFF_FFFF)
"""The range of a task that is one shard."""


class ConnectorState(FromConnector, frozen=True, kw_only=True):
    """A change of the task's stored state.

    `updated` is any JSON value, an object in practice: with `merge_patch` an RFC 7396 patch of what is stored, without
    it a replacement, in which null members do not survive.
    """

    updated: Raw
    merge_patch: bool = False


class ShardTemplate(FromRuntime, frozen=True, kw_only=True):
    """How the runtime runs a task's shards. Connectors have no use for it beyond logging."""

    id: str = ""
    recovery_log_prefix: str = ""
    hint_prefix: str = ""
    hint_backups: int = 0
    min_txn_duration: Duration | None = None
    max_txn_duration: Duration | None = None
    hot_standbys: int = 0
    labels: Raw = ABSENT
    ring_buffer_size: int = 0
    read_channel_size: int = 0
    disable: bool = False


class NetworkPort(FromRuntime, frozen=True, kw_only=True):
    """A TCP port that a connector's image offers; `protocol` is an ALPN name, `public` needs no authentication."""

    number: int = 0
    protocol: str = ""
    public: bool = False


class Transform(FromRuntime, frozen=True, kw_only=True):
    """One transform of a derivation: documents of `collection` are read, shuffled by `shuffle_key`, and transformed.

    `read_delay_seconds` holds documents back; `priority` is higher for sources read first; `not_before` and
    `not_after` bound the publish time of what is read.
    """

    name: str = ""
    collection: CollectionSpec | None = None
    partition_selector: Raw = ABSENT
    priority: int = 0
    read_delay_seconds: int = 0
    shuffle_key: tuple[str, ...] = ()
    shuffle_lambda_config: Raw = ABSENT
    lambda_config: Raw = ABSENT
    read_only: bool = False
    journal_read_suffix: str = ""
    not_before: dt.datetime | None = None
    not_after: dt.datetime | None = None
    backfill: int = 0


class Derivation(FromRuntime, frozen=True, kw_only=True):
    """How a collection is derived. `shuffle_key_types` are `BOOLEAN`, `INTEGER` or `STRING`."""

    connector_type: str = ""
    config: Raw = _EMPTY
    transforms: tuple[Transform, ...] = ()
    shuffle_key_types: tuple[str, ...] = ()
    shard_template: ShardTemplate | None = None
    recovery_log_template: Raw = ABSENT
    network_ports: tuple[NetworkPort, ...] = ()
    inactive_transforms: tuple[Transform, ...] = ()
    redact_salt: bytes = b""


class CollectionSpec(FromRuntime, frozen=True, kw_only=True):
    """A collection as a task sees it.

    `write_schema` is the bundled JSON Schema that documents are validated against; `read_schema`, where present, is
    the one readers use. `key` is a composite key of JSON pointers, `uuid_ptr` where the runtime puts its UUID.
    """

    name: str = ""
    write_schema: Raw = _EMPTY
    read_schema: Raw = ABSENT
    key: tuple[str, ...] = ()
    uuid_ptr: str = ""
    partition_fields: tuple[str, ...] = ()
    projections: tuple[Projection, ...] = ()
    ack_template: Raw = ABSENT
    partition_template: Raw = ABSENT
    derivation: Derivation | None = None


class CaptureBinding(FromRuntime, frozen=True, kw_only=True):
    """One enabled binding of a capture; its index in `CaptureSpec.bindings` is the `binding` of captured documents.

    `resource_path` identifies the resource, `backfill` counts how often it was asked to start over, `state_key` is
    where the connector keeps this binding's state.
    """

    resource_config: Raw = _EMPTY
    resource_path: tuple[str, ...] = ()
    collection: CollectionSpec = CollectionSpec()
    backfill: int = 0
    state_key: str = ""


class CaptureSpec(FromRuntime, frozen=True, kw_only=True):
    """A capture task. `interval_seconds` counts from the start of one session to the start of the next.

    `config` is the plain, decrypted endpoint config where the spec is the one being served; in `last_capture` it is
    the stored endpoint object, possibly sealed. `inactive_bindings` were removed or disabled since.
    """

    name: str = ""
    connector_type: str = ""
    config: Raw = _EMPTY
    bindings: tuple[CaptureBinding, ...] = ()
    interval_seconds: int = 0
    shard_template: ShardTemplate | None = None
    recovery_log_template: Raw = ABSENT
    network_ports: tuple[NetworkPort, ...] = ()
    inactive_bindings: tuple[CaptureBinding, ...] = ()
    redact_salt: bytes = b""


class FieldSelection(FromRuntime, frozen=True, kw_only=True):
    """The projections a materialized binding stores; `document` is the field of the whole document, or empty."""

    keys: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    document: str = ""
    field_config: dict[str, Raw] = {}


class SerPolicy(FromConnector, frozen=True, kw_only=True):
    """How documents are cut for an endpoint: lengths in bytes, properties and items; 0 means no limit."""

    str_truncate_after: int = 0
    nested_obj_truncate_after: int = 0
    array_truncate_after: int = 0


class MaterializationBinding(FromRuntime, frozen=True, kw_only=True):
    """One enabled binding of a materialization; its index is the `binding` of loads and stores."""

    resource_config: Raw = _EMPTY
    resource_path: tuple[str, ...] = ()
    collection: CollectionSpec = CollectionSpec()
    partition_selector: Raw = ABSENT
    priority: int = 0
    field_selection: FieldSelection = FieldSelection()
    delta_updates: bool = False
    deprecated_shuffle: Raw = ABSENT
    journal_read_suffix: str = ""
    not_before: dt.datetime | None = None
    not_after: dt.datetime | None = None
    backfill: int = 0
    state_key: str = ""
    ser_policy: SerPolicy | None = None


class MaterializationSpec(FromRuntime, frozen=True, kw_only=True):
    """A materialization task; as `CaptureSpec`, with what it stores in place of what it captures."""

    name: str = ""
    connector_type: str = ""
    config: Raw = _EMPTY
    bindings: tuple[MaterializationBinding, ...] = ()
    shard_template: ShardTemplate | None = None
    recovery_log_template: Raw = ABSENT
    network_ports: tuple[NetworkPort, ...] = ()
    inactive_bindings: tuple[MaterializationBinding, ...] = ()


class UUIDParts(FromRuntime, frozen=True, kw_only=True):
    """The parts of a document's UUID: `node` is producer and flags, `clock` a 60-bit timestamp and 4-bit counter."""

    node: Int64 = Int64(0)
    clock: Int64 = Int64(0)


class OAuth2(FromConnector, frozen=True, kw_only=True):
    """How the user interface gets OAuth tokens for a connector (protocol reference, section 14).

    Templates are mustache text over `client_id`, `redirect_uri` and `config.*`; response maps take a JSON pointer or
    a template for each credential.
    """

    provider: str
    auth_url_template: str
    access_token_url_template: str
    access_token_method: str = ""
    access_token_body: str = ""
    access_token_headers: dict[str, Raw] = {}
    access_token_response_map: dict[str, Raw] = {}
    refresh_token_url_template: str = ""
    refresh_token_method: str = ""
    refresh_token_body: str = ""
    refresh_token_headers: dict[str, Raw] = {}
    refresh_token_response_map: dict[str, Raw] = {}
