"""A task's state on the wire, and the Singer state inside of it (see docs/decisions/0020-singer-state.md).

    {"bindingStateV1": {stateKey: {"rowId": n, "previousRows": n, "version": n, "at": [...], "state": bookmark}},
     "singerStateV1": what the tap's state says beside its bookmarks}

Every change is told as a merge patch that holds what changed and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

from python.protocol.flow import ConnectorState
from python.protocol.patch import difference, merge_patch, without_nulls
from python.shim_common.values import Json, items, mapping
from python.shim_singer_sdk.entries import BOOKMARKS, Entry
from python.shim_singer_sdk.migration import REST, STATES, migrated
from python.shim_singer_sdk.records import Target

__all__ = ["STATES", "TaskState"]

_NOT_RESUMED = "progress_markers"  # the SDK's mark of progress that it forgets when it starts again

_logger = logging.getLogger(__name__)


class TaskState:
    """The state of a task during one session. `stored` is what the session was opened with; it is not changed.

    Makes the row ids of `targets` go on where they have to. A state that the earlier shim wrote is read, too, and a
    tap's own. Raises ConnectorError where `stored` cannot be continued.
    """

    def __init__(self, stored: object, targets: Sequence[Target]) -> None:
        known, self._former = migrated(mapping(stored), targets)
        entries = mapping(known.get(STATES))
        self._told: Json = {STATES: {}} if self._former else {**known, STATES: dict(entries)}
        self._rest = mapping(known.get(REST))
        self._entries = {
            target.name: Entry(target, mapping(entries[target.state_key]) if target.state_key in entries else None)
            for target in targets
        }
        for entry in self._entries.values() if self._former else ():
            entry.touched = True
        self._ancestors: dict[str, list[Entry]] | None = None
        self._others: dict[str, Entry] = {}
        for entry in self._entries.values():
            if entry.target.stream not in self._entries:
                self._others.setdefault(entry.target.stream, entry)

    def learn(self, ancestors: Mapping[str, Collection[str]]) -> None:
        """Streams are read by way of their `ancestors`, named by tap_stream_id. Call it before anything is read.

        A child which has no entry yet needs all that its ancestors have: their bookmarks are dropped.
        """
        self._ancestors = {
            name: [self._entries[each] for each in ancestors.get(name, ()) if each in self._entries]
            for name in self._entries
        }
        restarted: set[Entry] = set()
        for name, above in self._ancestors.items():
            entry = self._entries[name]
            if entry.refreshed and any(each.target.incremental for each in above):
                entry.append()
            if above and not entry.stored:
                entry.touched = True
                restarted.update(each for each in above if each.target.incremental and each.bookmark is not None)
        for name, above in self._ancestors.items():
            if self._entries[name].appended and restarted.intersection(above):
                restarted.add(self._entries[name])
        for entry in restarted:
            _logger.info("stream %s is read from its beginning: a child of it is new", entry.target.name)
            entry.restart()

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
        if self.stands_still:
            return False
        if BOOKMARKS in document or not any(self._entry(name) for name in document):
            bookmarks, path = mapping(document.get(BOOKMARKS)), [BOOKMARKS]
            rest = {name: value for name, value in document.items() if name != BOOKMARKS}
        else:  # from before there were bookmarks: streams beside each other
            bookmarks, path = {name: value for name, value in document.items() if self._entry(name)}, []
            rest = {name: value for name, value in document.items() if name not in bookmarks}
        before, self._rest = self._rest, mapping(without_nulls(rest))
        changed = self._rest != before
        kept: set[Entry] = set()
        for name, bookmark in bookmarks.items():
            entry = self._entry(name)
            if entry is None or entry.failed or bookmark is None:
                continue
            if entry.keep(without_nulls(_without_progress(bookmark)), [*path, name]):
                kept.add(entry)
        moved = _elsewhere(self._rest) != _elsewhere(before)
        for entry in self._entries.values() if kept or moved else ():
            if entry.appended and kept.intersection(self._above(entry)):
                self._cover_appended(entry)
            elif moved and not (entry.failed or entry.appended or entry.resumes):
                entry.cover()
        return changed or bool(kept)

    def begin(self, target: Target, version: int | None) -> None:
        """From now on the rows of `target` are those of the table `version`: they replace all rows before."""
        entry = self._entries[target.name]
        if target.row_keyed and target.takes_tombstones and (entry.previous is not None or target.version is not None):
            entry.previous = max(entry.previous or 0, target.row_id)
            target.row_id = entry.rows = 0
        target.version = version
        entry.touched = True

    def fail(self, target: Target) -> None:
        """From now on ignore bookmarks of `target` and its ancestors: one of its records could not be captured.

        Where the ancestors are not known, no bookmark goes on.
        """
        entry = self._entries[target.name]
        for each in self._entries.values() if self._ancestors is None else (entry, *self._above(entry)):
            each.failed = True

    @property
    def stands_still(self) -> bool:
        """Whether no bookmark goes on any more: a stream has failed, and nobody says which others lead to it."""
        return self._ancestors is None and any(entry.failed for entry in self._entries.values())

    def is_appended(self, target: Target) -> bool:
        """Whether `target` is a full table that only has the children of what is new."""
        return self._entries[target.name].appended

    def is_whole(self, target: Target) -> bool:
        """Whether all rows of `target` come in this sync: those which do not are gone.

        Where nobody says what is a child, a full table may be one of a stream that only tells what is new.
        """
        entries = self._entries.values()
        certain = self._ancestors is not None or not any(each.target.incremental for each in entries)
        return certain and self._entries[target.name].refreshed

    def has_bookmark_frozen(self, target: Target) -> bool:
        """Whether the next sync reads again what this one has read of `target`."""
        return target.incremental and self._entries[target.name].failed

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
        if entry.appended:
            self._cover_appended(entry)
        elif entry.failed:
            return
        elif entry.refreshed or entry.resumes or not target.row_keyed or _elsewhere(self._rest):
            entry.cover()
        elif target.takes_tombstones:  # it comes again as a whole: in the place of these rows, which may be more
            entry.previous = max(entry.previous or 0, target.row_id)

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
        patch: Json = dict.fromkeys(self._former)
        self._former = ()
        if changes:
            patch[STATES] = changes
        before = mapping(self._told.get(REST))
        if self._rest != before:
            patch[REST] = difference(before, self._rest)
            self._told[REST] = self._rest
        return merge_patch(patch) if patch else None

    def _cover_appended(self, entry: Entry) -> None:
        """Children that have come do not come again where their ancestors' bookmarks have left them behind."""
        above = self._above(entry)
        frozen = any(each.failed for each in (entry, *above))
        if not frozen and any(each.resumes for each in above if each.target.incremental):
            entry.cover()

    def _above(self, entry: Entry) -> list[Entry]:
        return self._ancestors[entry.target.name] if self._ancestors else []

    def _entry(self, name: str) -> Entry | None:
        return self._entries.get(name) or self._others.get(name)


def _without_progress(bookmark: object) -> object:
    """Return a bookmark without the SDK's marks of progress, its partitions' included: it starts over behind them."""
    if not isinstance(bookmark, dict) or not (_NOT_RESUMED in bookmark or "partitions" in bookmark):
        return bookmark
    kept: Json = {name: value for name, value in bookmark.items() if name != _NOT_RESUMED}
    if isinstance(kept.get("partitions"), list):
        kept["partitions"] = [_without_progress(each) for each in items(kept["partitions"])]
    return kept


def _elsewhere(rest: Json) -> Json:
    """Return what stands beside the bookmarks by which a tap may go on: some have all of their state there."""
    return {name: value for name, value in rest.items() if name != "currently_syncing"}
