"""What derivations and materializations have in common in a run: they read journals, and keep how far."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from python.protocol.flow import CollectionSpec
from python.runner.catalog_readers import Source as Wanted
from python.runner.jobs import Job, declared
from python.runner.journal import source_name
from python.runner.progress import LINE_SECONDS, Progress
from python.runner.reader_tasks import collections_read, source_of, utc_clock
from python.runner.reading import Batch, Reader, Source, paced
from python.runner.transactions import shortest

__all__ = ["ReaderJob", "Told"]


class Told:
    """Tells how much a shard has read in its session, once in a while. `now` is a clock in seconds."""

    def __init__(self, progress: Progress, name: str, now: Callable[[], float] = time.monotonic) -> None:
        self._progress = progress
        self._name = name
        self._now = now
        self._began = self._last = now()
        self._documents = 0

    def committed(self, documents: int) -> None:
        """So many more documents were read, and what they gave is durable."""
        self._documents += documents
        now = self._now()
        if now - self._last >= LINE_SECONDS:
            self._last = now
            rate = self._documents / (now - self._began)
            self._progress.note(f"{self._name}: {self._documents:,} documents read, {rate:,.0f}/s")


class ReaderJob(Job):
    """A task that reads collections of the store."""

    def follow(self, wanted: Sequence[Wanted]) -> Mapping[str, CollectionSpec]:
        """The sources have journals from now on. Returns them, as a reader is sent them."""
        found = collections_read(wanted, self.catalog)
        self.store.declare({name: declared(self.catalog.collections[name]) for name in found})
        self.store.follow(found)
        return found

    def offset_name(self, collection: str, suffix: str) -> str:
        """Return what an offset is kept under."""
        return source_name(collection, self.store.journal(collection).generation, suffix)

    def source(self, wanted: Wanted, collection: CollectionSpec, suffix: str, **limits: float) -> Source:
        """Return what is to be read of a collection. Raises CatalogError for partitions that it does not have."""
        priority, delay = int(limits.get("priority", 0)), limits.get("delay_seconds", 0.0)
        name = self.offset_name(collection.name, suffix)
        return source_of(wanted, collection, name, priority=priority, delay_seconds=delay)

    def batches(self, sources: Sequence[Source], offsets: Mapping[str, int]) -> Iterator[Batch | None]:
        """Yield what is to be read, until all is read that will be written, or until the run is stopped.

        With `continuous`, something may always be written; documents wait for more as `minTxnDuration` says.
        """
        collections = [source.collection for source in sources]
        shared = self.shared

        def ended() -> bool:
            return not shared.options.continuous and shared.settled(self.name, collections)

        reader = Reader(self.store, sources, offsets, ended, utc_clock)
        batches = paced(reader, shortest(self.task.shards, 0.0), time.monotonic)
        return itertools.takewhile(lambda _batch: not shared.stop.asked, batches)
