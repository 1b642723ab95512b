"""What shims add to the documents of their streams: `_meta`, which tells what happened to which row."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Raw

from python.shim_common.collection import needs
from python.shim_common.values import Json

__all__ = ["takes_tombstones", "tombstone", "with_meta"]

_TOMBSTONE_NEEDS = frozenset({"_meta"})


def takes_tombstones(schema: Json) -> bool:
    """Whether a collection of this schema takes what `tombstone` returns: whether its rows can be deleted."""
    return needs(schema) <= _TOMBSTONE_NEEDS


def tombstone(row_id: int) -> Raw:
    """Return the document that deletes the one with `row_id`, of a collection whose key that is."""
    return Raw(b'{"_meta":{"op":"d","row_id":%d}}' % row_id)


def with_meta(data: Json, op: str, row_id: int) -> Json:
    """Return `data`, which has a `_meta` of the source's, with ours added to it; the UUID is the runtime's to set."""
    own = data["_meta"]
    kept = {name: own[name] for name in own if name != "uuid"} if isinstance(own, Mapping) else {"value": own}
    return {**data, "_meta": {**kept, "op": op, "row_id": row_id}}
