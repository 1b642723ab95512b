"""Records of a Singer stream as documents of a binding: the hot path."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

import msgspec
from msgspec import Raw

from python.capture import Binding, Captured
from python.protocol import document
from python.protocol.errors import ConfigError, ConnectorError, DocumentError
from python.shim_common.collection import ROW_ID_POINTER, never_null
from python.shim_common.date_times import date_times
from python.shim_common.documents import takes_tombstones, tombstone, with_meta
from python.shim_common.keys import KEY_TYPES, Key
from python.shim_common.values import Json, mapping

__all__ = ["DELETED_AT", "METHODS", "Target", "check_resource"]

DELETED_AT = "_sdc_deleted_at"
"""The property by which taps that read a database's log say that a row was deleted, and when."""

METHODS = ("FULL_TABLE", "INCREMENTAL", "LOG_BASED")


def check_resource(resource: Json, at: str) -> None:
    """Raise ConfigError where a binding's resource config, which stands at the pointer `at`, cannot be captured."""
    method = resource.get("replication_method")
    if method not in METHODS:
        raise ConfigError(at=f"{at}/replication_method", got=method, want=" or ".join(METHODS))
    key = resource.get("replication_key")
    if method == "INCREMENTAL" and (not isinstance(key, str) or not key):
        raise ConfigError(at=f"{at}/replication_key", got=key, want="the property that tells what is new")


class Target:
    """A binding on its way to be captured: what makes documents of its stream's records.

    `row_id` is the number that its next document gets, `version` that of the table its rows are of, if the tap has
    such. `incremental` says whether the stream goes on from a bookmark, `row_keyed` whether row ids are the
    collection's key, `takes_tombstones` whether its schema lets us delete rows.
    """

    def __init__(self, binding: Binding[Json, Json]) -> None:
        resource = binding.resource
        check_resource(resource, f"/bindings/{binding.index}/resource")
        self.index = binding.index
        self.resource = resource
        self.resource_path = binding.resource_path
        self.name = str(resource.get("tap_stream_id"))
        self.stream = str(resource.get("stream") or self.name)
        self.state_key = binding.state_key
        self.backfill = binding.backfill
        self.incremental = resource.get("replication_method") != "FULL_TABLE"
        self.key = tuple(binding.collection.key)
        self.row_keyed = self.key == (ROW_ID_POINTER,)
        self.schema = mapping(msgspec.json.decode(binding.collection.write_schema))
        self.takes_tombstones = takes_tombstones(self.schema)
        self.row_id = 0
        self.version: int | None = None
        self._never_null = never_null(self.schema)
        self._date_times = date_times(self.schema, self.name)
        self._own_key = Key(self.key)

    def captured(self, data: object) -> Captured:
        """Return the message that captures a record, and count it. `data` is not changed: the tap may reuse it.

        Its date-times are made right. Raises ConnectorError naming stream, key and place where a value is not JSON, or
        no key.
        """
        row_id = self.row_id
        try:
            if not isinstance(data, dict):
                raise TypeError  # noqa: TRY301 -- told below, as are its kin
            if self._date_times is not None:
                data = self._date_times.repaired(data)
            for name in self._own_key.names:
                if type(data.get(name)) not in KEY_TYPES:
                    self._own_key.check(data)
            text = self._text(data)
            if "_meta" in data:
                text = document.encode(_as_taps_print(with_meta(data, self._op(data), row_id)))
            else:
                comma = b"," if len(text) > 2 else b""  # noqa: PLR2004 -- longer than {}
                text = b'%b%b"_meta":{"op":"%b","row_id":%d}}' % (text[:-1], comma, self._op(data).encode(), row_id)
        except (DocumentError, TypeError, RecursionError) as error:
            raise self._unwritable(data, error) from None
        self.row_id = row_id + 1
        return Captured(binding=self.index, doc=Raw(text))

    def tombstone(self, row_id: int) -> Captured:
        """Return the message that deletes the document with `row_id`."""
        return Captured(binding=self.index, doc=tombstone(row_id))

    def _text(self, data: Json) -> bytes:
        try:
            text = document.encode(data)
        except DocumentError:
            text = document.encode(_as_taps_print(data))
        if self._never_null and text.count(b":null") and None in data.values():
            kept = {name: data[name] for name in data if data[name] is not None or name not in self._never_null}
            text = document.encode(_as_taps_print(kept))
        return text

    def _op(self, data: Json) -> str:
        return "u" if data.get(DELETED_AT) is None or self.row_keyed else "d"

    def _unwritable(self, data: object, error: Exception) -> ConnectorError:
        if not isinstance(data, Mapping):
            return ConnectorError(f"stream {self.name}: a record is {data!r}, want an object")
        return ConnectorError(f"stream {self.name}, document {self._own_key.told(data, self.row_id)}: {error}")


def _as_taps_print(value: object) -> object:
    """Return `value` with what is not JSON as the SDK prints it: null for NaN and infinity, `str` of other objects."""
    if isinstance(value, Mapping):
        return {name: _as_taps_print(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_taps_print(item) for item in value]
    if isinstance(value, (float, Decimal)):
        return value if math.isfinite(value) else None
    try:
        document.encode(value)
    except DocumentError:
        return str(value)
    return value
