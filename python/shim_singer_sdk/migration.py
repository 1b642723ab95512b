"""States that others stored: a tap's own, as a whole, is taken over; what is of no tap is refused (decision 0098)."""

from __future__ import annotations

from collections.abc import Sequence

from python.shim_common.refusals import refuse
from python.shim_common.values import Json, mapping
from python.shim_singer_sdk.entries import BOOKMARKS
from python.shim_singer_sdk.records import Target

__all__ = ["REST", "STATES", "migrated"]

STATES = "bindingStateV1"
REST = "singerStateV1"

_AIRBYTE = ("STREAM", "LEGACY", "GLOBAL")


def migrated(stored: Json, targets: Sequence[Target]) -> tuple[Json, tuple[str, ...]]:
    """Return `stored` in our form, and the names of its members that are to be removed: none where it is in ours.

    Raises ConnectorError where it cannot be continued by `targets`.
    """
    if not stored or stored.keys() & {STATES, REST}:
        entries = mapping(stored.get(STATES))
        for target in targets:
            _check_entry(entries.get(target.state_key), target)
        return stored, ()
    bookmarks = mapping(stored.get(BOOKMARKS))
    _check_streams(stored, bookmarks, targets)
    entries = {target.state_key: _entry(target, bookmarks) for target in targets}
    rest = {name: value for name, value in stored.items() if name != BOOKMARKS and value is not None}
    return {STATES: entries, REST: rest}, tuple(stored)


def _entry(target: Target, bookmarks: Json) -> Json:
    """Return what our own state would hold: a full table is numbered anew, and deletes its rows from then on."""
    bookmark = _bookmark(target, bookmarks)
    entry: Json = {"rowId": 0} if target.incremental else {"rowId": 0, "previousRows": 0}
    if bookmark is None or not target.incremental:
        return entry
    at = {} if target.name in bookmarks else {"at": [BOOKMARKS, target.stream]}
    return {**entry, "state": bookmark, **at}


def _bookmark(target: Target, bookmarks: Json) -> object:
    """Return the bookmark of a target's stream: most taps write it under its id, and some under its name."""
    return bookmarks.get(target.name, bookmarks.get(target.stream))


def _check_streams(stored: Json, bookmarks: Json, targets: Sequence[Target]) -> None:
    waiting = [target for target in targets if target.incremental and not target.backfill]
    found = [target for target in targets if target.incremental and _bookmark(target, bookmarks)]
    if waiting and not found:
        told = f"it has bookmarks of {', '.join(sorted(bookmarks))}" if bookmarks else "it has no bookmarks of a tap"
        refuse(stored, [target.name for target in waiting], f"it is not of these streams: {told}")
    numbered = [target.name for target in found if target.row_keyed]
    if numbered:
        refuse(stored, numbered, "their rows are numbered, and it does not say how many there are")


def _check_entry(stored: object, target: Target) -> None:
    """Raise ConnectorError where `stored`, which is kept of the binding of `target`, is of no tap."""
    kind = mapping(mapping(stored).get("state")).get("type")
    if target.incremental and kind in _AIRBYTE:
        refuse(stored, [target.name], "it is of no tap")
