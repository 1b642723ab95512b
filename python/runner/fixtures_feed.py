"""Documents that are given, not captured: collections in memory, read as those of a store are (see `reading.Feed`)."""

from __future__ import annotations

from collections.abc import Iterable

from python.runner.collector import Collector
from python.runner.combiner import Combined
from python.runner.journal import Row
from python.runner.reading import Batch, Reader

__all__ = ["Journals", "batch_of", "merged"]


class Journals:
    """Documents by collection, in the order in which they were added. `clock` is a clock of their own.

    It is that of the last documents, and may be set on, never back.
    """

    def __init__(self, clock: int) -> None:
        self.clock = clock
        self._rows: dict[str, list[Row]] = {}
        self._forgotten: dict[str, int] = {}

    def add(self, collection: str, documents: Iterable[bytes]) -> None:
        """`documents` are in the collection, later than all that was added before."""
        self.clock += 1
        rows = self._rows.setdefault(collection, [])
        first = self._forgotten.get(collection, 0) + len(rows) + 1
        rows.extend((number, self.clock, doc) for number, doc in enumerate(documents, first))

    def read(self, collection: str, after: int, rows_max: int) -> list[Row]:
        """Return at most `rows_max` of the rows numbered `after + 1` and so on, in order."""
        begin = after - self._forgotten.get(collection, 0)
        return self._rows.get(collection, [])[begin : begin + rows_max]

    def forget(self) -> None:
        """All that was added has been read by everybody, and is gone. The numbers of rows go on."""
        for collection, rows in self._rows.items():
            self._forgotten[collection] = self._forgotten.get(collection, 0) + len(rows)
            rows.clear()


def batch_of(reader: Reader) -> Batch | None:
    """Return all that `reader` has to read now, as one batch; None where there is nothing."""
    batches = reader.batches()
    found = list(iter(lambda: next(batches, None), None))
    return Batch(runs=[run for batch in found for run in batch.runs], offsets=found[-1].offsets) if found else None


def merged(parts: Iterable[Combined], collector: Collector) -> Combined:
    """Return the documents of all parts of a transaction, combined by key. Raises ReductionError."""
    whole: Combined = {}
    for part in parts:
        for key, doc in part.items():
            whole[key] = collector.combine(whole[key], doc) if key in whole else doc
    return whole
