"""What a derivation or a materialization reads next: documents of its sources in order, a batch at a time.

Documents of sources with a higher priority come first, and among those of one priority the ones published first, where
a source's read delay counts as if they were published that much later. What does not come from a store, as in a test,
is read through the same `Feed`.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from python.runner.journal import Row

__all__ = ["BATCH_BYTES", "Batch", "Feed", "Reader", "Run", "Source", "paced"]

BATCH_BYTES = 8 * 1024 * 1024
"""Documents of a batch, as text: large enough that a transaction is cheap per document, small enough for memory."""

_FETCH_BYTES = 4 * 1024 * 1024  # ahead of all sources of a reader together
_FETCH_BYTES_MIN = 256 * 1024  # of one source, however many there are
_FETCH_ROWS = 64  # at first, when nothing is known of the documents' size
_FETCH_ROWS_MAX = 20_000


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A source of a reader: `name` is what its offset is kept under (see `journal.source_name`).

    `delay` holds documents back, `begin` and `end` bound when they were published, all in units of clocks; `accepts`
    says whether a document is selected.
    """

    name: str
    collection: str
    priority: int = 0
    delay: int = 0
    begin: int = 0
    end: int | None = None
    accepts: Callable[[bytes], bool] | None = None


class Run(msgspec.Struct, frozen=True):
    """Documents of one source, in order."""

    source: int
    rows: Sequence[Row]


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of documents, in the order in which they are to be read, and where every source has been read to then."""

    runs: Sequence[Run]
    offsets: Mapping[str, int]

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return sum(len(run.rows) for run in self.runs)

    @property
    def bytes(self) -> int:
        """How large they are, as text."""
        return sum(len(row[2]) for run in self.runs for row in run.rows)


class Feed(Protocol):
    """Where the documents of collections come from."""

    def read(self, collection: str, after: int, rows_max: int) -> list[Row]:
        """Return at most `rows_max` of the rows numbered `after + 1` and so on, in order."""


class Reader:
    """Reads `sources` from their offsets on. `ended` says whether nothing more will be written to any of them.

    `now` is the clock. Iterate over `batches`.
    """

    def __init__(
        self,
        feed: Feed,
        sources: Sequence[Source],
        offsets: Mapping[str, int],
        ended: Callable[[], bool],
        now: Callable[[], int],
    ) -> None:
        fetch = max(_FETCH_BYTES_MIN, _FETCH_BYTES // max(1, len(sources)))
        self._cursors = [_Cursor(feed, source, offsets.get(source.name, 0), fetch) for source in sources]
        self._others = dict(offsets)  # of sources that are not read now, and may be again
        self._levels = sorted({source.priority for source in sources}, reverse=True)
        self._ended = ended
        self._now = now

    def batches(self) -> Iterator[Batch | None]:
        """Yield batches; None where there is nothing now. Ends when everything was read that will ever be written."""
        while True:
            ended = self._ended()  # asked before the last look, or what is written in between would be missed
            batch = self._next(None if ended else self._now())
            if batch is not None:
                yield batch
            elif ended:
                return
            else:
                yield None

    def due(self) -> int | None:
        """Return when the next document counts as published, held back until then or not; None where there is none."""
        return min((head for cursor in self._cursors if (head := cursor.head(None)) is not None), default=None)

    def gathering(self) -> bool:
        """Return whether there are documents to be read now, and more may come that would be read with them."""
        due = self.due()
        return due is not None and due <= self._now() and not self._ended()

    def _next(self, now: int | None) -> Batch | None:
        """Return the next batch. `now` is None once the sources have ended: then no delay is waited for."""
        before = self._offsets()
        runs: list[Run] = []
        room = BATCH_BYTES
        for level in self._levels:
            cursors = {number: cursor for number, cursor in enumerate(self._cursors) if cursor.source.priority == level}
            while room > 0 and (run := _earliest(cursors, now, room)) is not None:
                runs.append(run)
                room -= sum(len(row[2]) for row in run.rows)
        offsets = self._offsets()
        return None if offsets == before else Batch(runs=runs, offsets=offsets)

    def _offsets(self) -> dict[str, int]:
        return {**self._others, **{cursor.source.name: cursor.offset for cursor in self._cursors}}


def paced(reader: Reader, seconds_min: float, now: Callable[[], float]) -> Iterator[Batch | None]:
    """Yield the batches of `reader`; documents wait so long for more, unless a batch is full. `now` is in seconds.

    While there is more than a batch, there is no wait.
    """
    batches, opened, full = reader.batches(), None, False
    while True:
        if seconds_min and not full and reader.gathering():
            opened = now() if opened is None else opened
            if now() - opened < seconds_min:
                yield None
                continue
        try:
            batch = next(batches)
        except StopIteration:
            return
        opened, full = None, batch is not None and batch.bytes >= BATCH_BYTES
        yield batch


class _Cursor:
    """Where one source is read, and what was fetched ahead of that."""

    def __init__(self, feed: Feed, source: Source, offset: int, fetch_bytes: int) -> None:
        self.source = source
        self._feed = feed
        self._end = offset
        self._fetch_bytes = fetch_bytes
        self._rows: Sequence[Row] = ()
        self._at = 0
        self._rows_max = _FETCH_ROWS

    @property
    def offset(self) -> int:
        """The number of the last row that was taken or passed over."""
        return self._rows[self._at][0] - 1 if self._at < len(self._rows) else self._end

    def head(self, now: int | None) -> int | None:
        """Return when the next document counts as published, or None where there is none, or none yet."""
        while self._at == len(self._rows):
            if not self._fetch():
                return None
        clock = self._rows[self._at][1] + self.source.delay
        return None if now is not None and self.source.delay and clock > now else clock

    def take(self, until: int | None, room: int) -> Sequence[Row]:
        """Return the next documents published before `until`, at least one and no more than there is `room` for."""
        end = len(self._rows)
        if until is not None:
            end = bisect.bisect_left(self._rows, until - self.source.delay, self._at + 1, key=_clock)
        begin = self._at
        while self._at < end and (room > 0 or self._at == begin):
            room -= len(self._rows[self._at][2])
            self._at += 1
        return self._rows[begin : self._at]

    def _fetch(self) -> bool:
        """Get the next rows; return whether there were any, selected or not."""
        found = self._feed.read(self.source.collection, self._end, self._rows_max)
        self._rows, self._at = self._selected(found), 0
        if not found:
            return False
        self._end = found[-1][0]
        size = sum(len(row[2]) for row in found) // len(found) + 1
        self._rows_max = max(1, min(self._fetch_bytes // size, 8 * self._rows_max, _FETCH_ROWS_MAX))
        return True

    def _selected(self, rows: Sequence[Row]) -> Sequence[Row]:
        source = self.source
        if source.begin or source.end is not None:
            rows = [row for row in rows if source.begin <= row[1] and (source.end is None or row[1] < source.end)]
        return rows if source.accepts is None else [row for row in rows if source.accepts(row[2])]


def _clock(row: Row) -> int:
    return row[1]


def _earliest(cursors: Mapping[int, _Cursor], now: int | None, room: int) -> Run | None:
    """Take the next run of the source whose next document was published first; None where there is no document."""
    heads = [(head, number) for number, cursor in cursors.items() if (head := cursor.head(now)) is not None]
    if not heads:
        return None
    _, number = min(heads)
    until = [head + (number < other) for head, other in heads if other != number]  # of like ones, the first source's
    if now is not None and cursors[number].source.delay:
        until.append(now + 1)
    return Run(number, cursors[number].take(min(until, default=None), room))
