"""One binding's part of a task's state: its bookmark, and its rows where they are numbered."""

from __future__ import annotations

from python.shim_common.values import Json, count, items
from python.shim_singer_sdk.records import Target

__all__ = ["BOOKMARKS", "Entry"]

BOOKMARKS = "bookmarks"
_OLD_COUNTER = "estuary.dev/rowCounter"  # where the shim before ours kept the row count: inside of the bookmark
_SAYS_NOTHING = frozenset({"context", "replication_key", "replication_key_signpost", "starting_replication_value"})


class Entry:
    """One binding's part: `rows` is the row count that `bookmark` covers, `previous` the rows to delete in the end.

    `refreshed` says whether each sync numbers its rows from 0 again, `appended` whether a full table does not, since it
    only has the children of what is new. `failed` entries keep the bookmark that they have, and so do their ancestors.
    `bookmark` stands in the tap's state at the path `at`. Until something was read of the binding, `touched` is false
    and its part stays as it is: it may be another shard's.
    """

    def __init__(self, target: Target, stored: Json | None) -> None:
        self.target = target
        ours = _migrated(stored or {})
        self.bookmark = ours.get("state")
        self.at = [str(name) for name in items(ours.get("at"))] or [BOOKMARKS, target.name]
        self.rows = count(ours, "rowId") or 0
        self.stored = stored is not None
        self.touched = self.failed = self.appended = False
        self.previous: int | None = None
        self.refreshed = target.row_keyed and not target.incremental
        replaced = stored is None or "previousRows" in ours
        # A version goes on where its table was left. A full table without a place to go on from begins anew, and taps
        # that take the time for a version may begin twice in the same second.
        target.version = count(ours, "version") if self.bookmark or not self.refreshed else None
        if target.row_keyed and target.takes_tombstones and replaced and (self.refreshed or "previousRows" in ours):
            self.previous = max(count(ours, "previousRows") or 0, self.rows)
        anew = not target.incremental and (not target.row_keyed or (self.previous is not None and not self.resumable))
        target.row_id = 0 if anew else self.rows

    @property
    def resumable(self) -> bool:
        """Whether a sync may go on in the middle of this stream: row ids must be able to follow it."""
        return not self.refreshed or self.target.version is not None

    @property
    def resumes(self) -> bool:
        """Whether the tap goes on with this stream from its bookmark."""
        return _tells(self.bookmark)

    def keep(self, bookmark: object, at: list[str]) -> bool:
        """The stream resumes from `bookmark`, which covers all rows so far. Return whether that is new."""
        if bookmark == self.bookmark and at == self.at:
            return False
        self.bookmark, self.at = bookmark, at
        if self.refreshed or (self.resumes and not self.appended):
            self.rows = self.target.row_id
        self.touched = True
        return True

    def cover(self) -> None:
        """All rows so far count: the next sync goes on behind them."""
        self.touched |= self.rows != self.target.row_id
        self.rows = self.target.row_id

    def append(self) -> None:
        """From now on this full table has only what is new: its rows follow those before, and delete none."""
        self.rows = self.target.row_id = max(self.rows, self.previous or 0)
        self.appended, self.refreshed = True, False
        self.previous = self.target.version = None

    def restart(self) -> None:
        """The stream is read from its beginning, as if nothing had been read of it before."""
        self.bookmark = self.target.version = None
        self.target.row_id = self.rows = 0
        self.touched = True

    def json(self) -> Json:
        """Return what is stored of the binding."""
        live = self.previous is not None and not self.resumable
        entry: Json = {"rowId": self.target.row_id if live else self.rows}
        if self.bookmark is not None:
            entry["state"] = self.bookmark
        if self.at != [BOOKMARKS, self.target.name]:
            entry["at"] = self.at
        if self.previous is not None:
            entry["previousRows"] = self.previous if live else max(self.previous, self.target.row_id)
        return entry if self.target.version is None else {**entry, "version": self.target.version}


def _migrated(stored: Json) -> Json:
    """Return a stored entry in our form. The shim before ours stored the bookmark itself, with its counter inside."""
    if "rowId" in stored or not stored:
        return stored
    bookmark = {name: value for name, value in stored.items() if name != _OLD_COUNTER}
    counted = count(stored, _OLD_COUNTER)
    return {"rowId": 0 if counted is None else counted + 1, **({"state": bookmark} if bookmark else {})}


def _tells(bookmark: object) -> bool:
    """Whether a stream goes on from `bookmark`, and not from its beginning: the SDK writes some that say no more."""
    if not isinstance(bookmark, dict):
        return bool(bookmark)
    own = bookmark.keys() - _SAYS_NOTHING - {"partitions"}
    return bool(own) or any(_tells(each) for each in items(bookmark.get("partitions")))
