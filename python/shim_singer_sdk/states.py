"""A task's state on the wire, and the Singer state inside of it (see docs/decisions/0020-singer-state.md).

    {"bindingStateV1": {stateKey: {"rowId": n, "previousRows": n, "version": n, "at": [...], "state": bookmark}},
     "singerStateV1": what the tap's state says beside its bookmarks}

Every change is told as a merge patch that holds what changed and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from python.protocol.flow import ConnectorState
from python.protocol.patch import difference, merge_patch, without_nulls
from python.shim_common.values import Json, items, mapping
from python.shim_singer_sdk.records import Target

__all__ = ["STATES", "TaskState"]

STATES = "bindingStateV1"
_REST = "singerStateV1"
_BOOKMARKS = "bookmarks"
_OLD_COUNTER = "estuary.dev/rowCounter"  # where the shim before ours kept the row count: inside of the bookmark
_NOT_RESUMED = "progress_markers"  # the SDK's mark of progress that it forgets when it starts again

_logger = logging.getLogger(__name__)


class _Entry:
    """One binding's part: `rows` is the row count that `bookmark` covers, `previous` the rows to delete in the end.

    `bookmark` stands in the tap's state at the path `at`. Until something was read of the binding, `touched` is false
    and its part stays as it is: it may be another shard's.
    """

    def __init__(self, target: Target, stored: Json | None) -> None:
        self.target = target
        ours = _migrated(stored or {})
        self.bookmark = ours.get("state")
        self.at = [str(name) for name in items(ours.get("at"))] or [_BOOKMARKS, target.name]
        self.rows = _count(ours, "rowId") or 0
        self.touched = self.failed = False
        self.previous: int | None = None
        self.refreshed = target.row_keyed and not target.incremental
        replaced = stored is None or "previousRows" in ours
        # A version goes on where its table was left. A full table without a place to go on from begins anew, and taps
        # that take the time for a version may begin twice in the same second.
        target.version = _count(ours, "version") if self.bookmark or not self.refreshed else None
        if target.row_keyed and target.takes_tombstones and replaced and (self.refreshed or "previousRows" in ours):
            self.previous = max(_count(ours, "previousRows") or 0, self.rows)
        anew = not target.incremental and (not target.row_keyed or (self.previous is not None and not self.resumable))
        target.row_id = 0 if anew else self.rows

    @property
    def resumable(self) -> bool:
        """Whether a sync may go on in the middle of this stream: row ids must be able to follow it."""
        return not self.refreshed or self.target.version is not None

    def keep(self, bookmark: object, at: list[str]) -> bool:
        """The stream resumes from `bookmark`, which covers all rows so far. Return whether that is new."""
        if bookmark == self.bookmark and at == self.at:
            return False
        self.bookmark, self.at = bookmark, at
        self.rows = self.target.row_id
        self.touched = True
        return True

    def json(self) -> Json:
        live = self.previous is not None and not self.resumable
        entry: Json = {"rowId": self.target.row_id if live else self.rows}
        if self.bookmark is not None:
            entry["state"] = self.bookmark
        if self.at != [_BOOKMARKS, self.target.name]:
            entry["at"] = self.at
        if self.previous is not None:
            entry["previousRows"] = self.previous if live else max(self.previous, self.target.row_id)
        return entry if self.target.version is None else {**entry, "version": self.target.version}


class TaskState:
    """The state of a task during one session. `stored` is what the session was opened with; it is not changed.

    Makes the row ids of `targets` go on where they have to. A state that the earlier shim wrote is read, too.
    """

    def __init__(self, stored: object, targets: Sequence[Target]) -> None:
        self._told: Json = dict(mapping(stored))
        entries = mapping(self._told.get(STATES))
        self._told[STATES] = dict(entries)
        self._rest = mapping(self._told.get(_REST))
        self._entries = {
            target.name: _Entry(target, mapping(entries[target.state_key]) if target.state_key in entries else None)
            for target in targets
        }
        self._others: dict[str, _Entry] = {}
        for entry in self._entries.values():
            if entry.target.stream not in self._entries:
                self._others.setdefault(entry.target.stream, entry)

    def document(self) -> Json:
        """Return the Singer state that a sync resumes from; empty for a new task.

        A full table which is numbered resumes only where its rows have a version: else it is read from its beginning.
        """
        state: Json = dict(self._rest)
        if state.get("currently_syncing") not in self._entries:
            state.pop("currently_syncing", None)
        for entry in self._entries.values():
            if entry.bookmark is None or not entry.resumable:
                continue
            place = state
            for name in entry.at[:-1]:
                place[name] = place = dict(mapping(place.get(name)))
            place[entry.at[-1]] = entry.bookmark
        return state

    def accept(self, document: Json) -> bool:
        """Take over a Singer state, of which nothing may be changed later; return whether it says something new."""
        if _BOOKMARKS in document or not any(self._entry(name) for name in document):
            bookmarks, path = mapping(document.get(_BOOKMARKS)), [_BOOKMARKS]
            rest = {name: value for name, value in document.items() if name != _BOOKMARKS}
        else:  # from before there were bookmarks: streams beside each other
            bookmarks, path = {name: value for name, value in document.items() if self._entry(name)}, []
            rest = {name: value for name, value in document.items() if name not in bookmarks}
        before, self._rest = self._rest, mapping(without_nulls(rest))
        changed = self._rest != before
        for name, bookmark in bookmarks.items():
            entry = self._entry(name)
            if entry is not None and not entry.failed and bookmark is not None:
                changed |= entry.keep(without_nulls(_without_progress(bookmark)), [*path, name])
        return changed

    def begin(self, target: Target, version: int | None) -> None:
        """From now on the rows of `target` are those of the table `version`: they replace all rows before."""
        entry = self._entries[target.name]
        if target.row_keyed and target.takes_tombstones and (entry.previous is not None or target.version is not None):
            entry.previous = max(entry.previous or 0, target.row_id)
            target.row_id = entry.rows = 0
        target.version = version
        entry.touched = True

    def fail(self, target: Target) -> None:
        """From now on ignore bookmarks of `target`: one of its records could not be captured."""
        self._entries[target.name].failed = True

    def rows_to_delete(self, target: Target) -> range:
        """Return the row ids of earlier rows which those of now, now that they are complete, did not replace."""
        return range(target.row_id, self._entries[target.name].previous or 0)

    def replaced(self, target: Target) -> None:
        """What `rows_to_delete` said was deleted."""
        entry = self._entries[target.name]
        entry.touched = True
        if entry.previous is not None:
            entry.previous = target.row_id if entry.refreshed else None

    def finish(self, target: Target) -> None:
        """`target` has been read to its end: its rows count, whether a bookmark covers them or not."""
        entry = self._entries[target.name]
        if not entry.failed:
            entry.touched = entry.touched or entry.rows != target.row_id
            entry.rows = target.row_id

    def patch(self) -> ConnectorState | None:
        """Return what has changed since the last call, as a merge patch; None where nothing has."""
        told = mapping(self._told[STATES])
        changes: Json = {}
        for entry in self._entries.values():
            if not entry.touched and (entry.previous is None or not entry.target.row_id):
                continue
            key, current = entry.target.state_key, entry.json()
            before = mapping(told.get(key))
            if current != before:
                changes[key] = difference(before, current)
                told[key] = current
        patch: Json = {STATES: changes} if changes else {}
        before = mapping(self._told.get(_REST))
        if self._rest != before:
            patch[_REST] = difference(before, self._rest)
            self._told[_REST] = self._rest
        return merge_patch(patch) if patch else None

    def _entry(self, name: str) -> _Entry | None:
        return self._entries.get(name) or self._others.get(name)


def _migrated(stored: Json) -> Json:
    """Return a stored entry in our form. The shim before ours stored the bookmark itself, with its counter inside."""
    if "rowId" in stored or not stored:
        return stored
    bookmark = {name: value for name, value in stored.items() if name != _OLD_COUNTER}
    counted = _count(stored, _OLD_COUNTER)
    return {"rowId": 0 if counted is None else counted + 1, **({"state": bookmark} if bookmark else {})}


def _without_progress(bookmark: object) -> object:
    """Return a bookmark without the SDK's marks of progress, its partitions' included: it starts over behind them."""
    if not isinstance(bookmark, dict) or not (_NOT_RESUMED in bookmark or "partitions" in bookmark):
        return bookmark
    kept: Json = {name: value for name, value in bookmark.items() if name != _NOT_RESUMED}
    if isinstance(kept.get("partitions"), list):
        kept["partitions"] = [_without_progress(each) for each in items(kept["partitions"])]
    return kept


def _count(stored: Json, name: str) -> int | None:
    value = stored.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
