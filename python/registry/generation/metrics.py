"""How connectors fare, as a warehouse counts it: JSON lines in the bucket, joined with entries by definition id.

The newest file below METRICS counts. A line says of one connector on one platform how much it is used, and how many of
its syncs succeed: `{"_airbyte_data": {"connector_definition_id": ..., "airbyte_platform": "cloud", "usage": "high"}}`.
What cannot be read there costs a registry nothing but that number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from python.registry.generation.listing import METRICS, Listing
from python.registry.store import NotFoundError, Store

__all__ = ["Metrics", "metrics_of"]

_Grade: TypeAlias = Literal["low", "medium", "high"]
_Platform: TypeAlias = Literal["all", "cloud", "oss"]

Metrics: TypeAlias = "Mapping[str, Mapping[_Platform, Mapping[str, str]]]"
"""What is known of connectors, by definition id and platform."""


class _Row(msgspec.Struct, frozen=True):
    connector_definition_id: str
    airbyte_platform: _Platform
    usage: _Grade | None = None
    sync_success_rate: _Grade | None = None
    connector_version: str | None = None


class _Line(msgspec.Struct, frozen=True):
    data: dict[str, Any] = msgspec.field(name="_airbyte_data")


def metrics_of(store: Store, listing: Listing) -> Metrics:
    """Return what the newest file of metrics says, nothing where there is none. Other lines are left out."""
    newest = listing.files.get(METRICS)
    if newest is None:
        return {}
    try:
        data = store.get(newest.path).data
    except NotFoundError:  # deleted meanwhile: the next run sees that
        return {}
    found: dict[str, dict[_Platform, Mapping[str, str]]] = {}
    for row in filter(None, map(_row, data.splitlines())):
        told = msgspec.to_builtins(row)
        known = {name: told[name] for name in ("usage", "sync_success_rate", "connector_version") if told[name]}
        if known:
            found.setdefault(row.connector_definition_id.lower(), {})[row.airbyte_platform] = known
    return {definition: dict(sorted(platforms.items())) for definition, platforms in found.items()}


def _row(line: bytes) -> _Row | None:
    """Return what a line says, None of one of something else. The text `null` is how a warehouse writes nothing."""
    try:
        said = msgspec.json.decode(line, type=_Line).data
        return msgspec.convert({name: value for name, value in said.items() if value != "null"}, type=_Row)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
