"""A collection as readers need it: the stream of documents, in the order in which they were committed.

The table of a collection has one reduced row a key. Its journal, which it has from its first reader on, has a row for
each document of each transaction, as it was committed, and so grows for ever, as a collection of Flow's does. It begins
with the documents that were there. A row's number is its offset; rows of one transaction share its clock.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:  # what reads a journal in memory needs no database
    import duckdb

__all__ = ["Journal", "Row", "clock_of", "source_name", "time_of"]

Row = tuple[int, int, bytes]
"""A document in a journal: its number, the clock of its commit, its JSON text."""

_TICKS = 10_000_000  # of a UUID's clock, in a second
_COUNTER = 16  # the four low bits of Flow's clocks count within a tick


def clock_of(moment: dt.datetime) -> int:
    """Return Flow's clock of a moment: ticks of 100 ns since October 15th, 1582, and four bits to count within."""
    return (moment - _epoch()) // dt.timedelta(microseconds=1) * (_TICKS // 1_000_000) * _COUNTER


def time_of(clock: int) -> dt.datetime:
    """Return the moment of a clock, to the microsecond.

    >>> time_of(clock_of(dt.datetime(2024, 1, 31, tzinfo=dt.timezone.utc))).isoformat()
    '2024-01-31T00:00:00+00:00'
    """
    return _epoch() + dt.timedelta(microseconds=clock // _COUNTER // (_TICKS // 1_000_000))


def _epoch() -> dt.datetime:
    return dt.datetime(1582, 10, 15, tzinfo=dt.timezone.utc)


def source_name(collection: str, generation: str, suffix: str) -> str:
    """Return what a reader's offset is kept under, and named in a checkpoint: `journal;suffix`, as in Flow.

    The `generation` is the journal's own: offsets of another store's say nothing here. The `suffix` is the reader's
    own, and changes where it is to start over.
    """
    return f"{collection}/{generation};{suffix}"


class Journal(msgspec.Struct):
    """The journal of the collection with this number. `length` and `clock` are those of the last committed row."""

    number: int
    generation: str
    length: int = 0
    clock: int = 0
    _grown: int = 0

    @property
    def name(self) -> str:
        """The table, as SQL names it."""
        return f"headwater.journal_{self.number}"

    def create(self, db: duckdb.DuckDBPyConnection, documents: str, clock: int) -> None:
        """The journal's table exists, and begins with those of the table `documents`, in the caller's transaction."""
        db.execute(f"create table {self.name} (number bigint, clock bigint, doc varchar)")
        self.append(db, documents, clock)

    def append(self, db: duckdb.DuckDBPyConnection, documents: str, clock: int) -> None:
        """The documents of a table are in the journal once the caller's transaction has committed: then `settle`."""
        first = self.length + self._grown
        db.execute(
            f"insert into {self.name} select $1 + row_number() over (), $2, doc from {documents}",  # noqa: S608 -- names of ours
            [first, self.clock_after(clock)],
        )
        row = db.execute(f"select count(*) from {documents}").fetchone()  # noqa: S608 -- same
        self._grown += int(row[0]) if row else 0

    def settle(self, clock: int) -> None:
        """What was appended has committed: readers may be told."""
        if self._grown:
            self.length, self.clock, self._grown = self.length + self._grown, self.clock_after(clock), 0

    def recall(self, db: duckdb.DuckDBPyConnection) -> None:
        """What is known here of the journal is what the file says."""
        row = db.execute(f"select coalesce(max(number), 0), coalesce(max(clock), 0) from {self.name}").fetchone()  # noqa: S608 -- same
        self.length, self.clock = row or (0, 0)
        self._grown = 0

    def clock_after(self, clock: int) -> int:
        """Return `clock`, or what follows the last one here: a machine's clock may be set back, a journal's may not."""
        return max(clock, self.clock + 1)

    def rows(self, db: duckdb.DuckDBPyConnection, after: int, rows_max: int) -> list[Row]:
        """Return at most `rows_max` rows after the one with the number `after`, in order."""
        found: list[Row] = db.execute(
            f"select number, clock, encode(doc) from {self.name} where number > $1 and number <= $2",  # noqa: S608 -- same
            [after, after + rows_max],
        ).fetchall()
        found.sort()
        return found
