"""Records of an Airbyte stream as documents of a binding: the hot path."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from python.capture import Binding, Captured
from python.protocol import document
from python.protocol.errors import ConnectorError, DocumentError
from python.shim_airbyte_cdk.discovery import CDC_DELETED_AT
from python.shim_airbyte_cdk.models import Json, mapping
from python.shim_common.collection import ROW_ID_POINTER, never_null
from python.shim_common.date_times import date_times
from python.shim_common.documents import takes_tombstones, tombstone, with_meta
from python.shim_common.keys import KEY_TYPES, Key

__all__ = ["Resource", "Target"]


class Resource(Struct, rename="camel", frozen=True, kw_only=True):
    """A binding's resource config. Nulls and unknown members, as airbyte-to-flow stored them, are taken."""

    stream: str
    sync_mode: str
    namespace: str | None = None
    cursor_field: list[str] | str | None = None


class Target:
    """A binding on its way to be captured: what makes documents of its stream's records.

    `row_id` is the number that its next document gets. `incremental` says whether the stream resumes from a state,
    `row_keyed` whether row ids are the collection's key, `takes_tombstones` whether its schema lets us delete rows.
    """

    def __init__(self, binding: Binding[Resource, Json]) -> None:
        schema = mapping(msgspec.json.decode(binding.collection.write_schema))
        resource = binding.resource
        self.index = binding.index
        self.stream = resource.stream
        self.namespace = resource.namespace or None
        self.resource_path = binding.resource_path
        self.state_key = binding.state_key
        self.backfill = binding.backfill
        self.incremental = resource.sync_mode == "incremental"
        self.cursor_field = [resource.cursor_field] if isinstance(resource.cursor_field, str) else resource.cursor_field
        self.key = tuple(binding.collection.key)
        self.row_keyed = self.key == (ROW_ID_POINTER,)
        self.takes_tombstones = takes_tombstones(schema)
        self.schema = schema
        self.row_id = 0
        # Newer CDKs print no nulls, so the authors of sources never see that their schema refuses them.
        self._never_null = never_null(schema)
        self._date_times = date_times(schema, self.name)
        self._own_key = Key(self.key)

    @property
    def name(self) -> str:
        """The stream's name for people."""
        return f"{self.namespace}.{self.stream}" if self.namespace else self.stream

    def captured(self, data: Json) -> Captured:
        """Return the message that captures a record, and count it. `data` is not changed: the source may reuse it.

        Its date-times are made right. Raises ConnectorError naming stream, key and place where a value is not JSON, or
        no key.
        """
        row_id = self.row_id
        try:
            if self._date_times is not None:
                data = self._date_times.repaired(data)
            for name in self._own_key.names:
                if type(data.get(name)) not in KEY_TYPES:
                    self._own_key.check(data)
            text = document.encode(data)
            if self._never_null and text.count(b":null") and None in data.values():
                data = {name: data[name] for name in data if data[name] is not None or name not in self._never_null}
                text = document.encode(data)
            # Of rows that are only numbered, none is deleted by another: a deletion is a row, too.
            op = b"u" if data.get(CDC_DELETED_AT) is None or self.row_keyed else b"d"
            if "_meta" in data:
                text = document.encode(with_meta(data, op.decode(), row_id))
            else:
                comma = b"," if len(text) > 2 else b""  # noqa: PLR2004 -- longer than {}
                text = b'%b%b"_meta":{"op":"%b","row_id":%d}}' % (text[:-1], comma, op, row_id)
        except (DocumentError, AttributeError, TypeError, RecursionError) as error:
            raise self._unwritable(data, error) from None
        self.row_id = row_id + 1
        return Captured(binding=self.index, doc=Raw(text))

    def tombstone(self, row_id: int) -> Captured:
        """Return the message that deletes the document with `row_id`."""
        return Captured(binding=self.index, doc=tombstone(row_id))

    def _unwritable(self, data: object, error: Exception) -> ConnectorError:
        if not isinstance(data, Mapping):
            return ConnectorError(f"stream {self.name}: a record is {data!r}, want an object")
        return ConnectorError(f"stream {self.name}, document {self._own_key.told(data, self.row_id)}: {error}")
