"""A derivation in a run: what it reads, what it gives, its state and its offsets commit together."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from python.protocol import derive as wire
from python.protocol.flow import FULL_RANGE, CollectionSpec, RangeSpec
from python.runner import derive_tasks, drive, kept
from python.runner.build import collection_spec, collector_of
from python.runner.catalog import Catalog
from python.runner.catalog_readers import DerivationTask
from python.runner.collector import Collector
from python.runner.combiner import Combined, Combiner
from python.runner.counters import raised
from python.runner.deriving import Shuffled, derive
from python.runner.jobs import Ledger, Shared, declared
from python.runner.materializing import Committed
from python.runner.reader_job import ReaderJob, Told
from python.runner.store import Store

__all__ = ["DeriveJob"]


class DeriveJob(ReaderJob):
    """One derivation on its way."""

    def __init__(self, task: DerivationTask, catalog: Catalog, shared: Shared) -> None:
        super().__init__(task, catalog, shared)
        self._derivation = task
        self._transforms = derive_tasks.enabled(task)

    @property
    def reads(self) -> Sequence[str]:
        """The sources of its transforms."""
        return [transform.source.collection for transform in self._transforms]

    @property
    def writes(self) -> Sequence[str]:
        """The derived collection, which bears its name."""
        return (self.name,)

    def build(self) -> None:
        """Validate. Raises what is wrong with the derivation, its collections, or its connector."""
        collection = self.catalog.collections[self.name]
        self._sources = self.follow([transform.source for transform in self._transforms])
        self._collector = collector_of(collection)
        self.store.declare({self.name: declared(collection)})
        derived = collection_spec(collection)
        record = self.store.task(self.name, 0)
        applied, counters = record.applied, raised(derive_tasks.counters_of(self._derivation), record.counters)
        last = kept.spec_in(applied, CollectionSpec)
        asked = derive_tasks.validate_request(self._derivation, derived, self._sources, last)
        asked = msgspec.structs.replace(asked, last_version=kept.version_of(applied))
        validated = drive.ask(self.launch(), asked, wire.Validated)
        self._spec = derive_tasks.derivation_spec(self._derivation, self._sources, validated)
        self._opened = msgspec.structs.replace(derived, derivation=self._spec)
        told = msgspec.structs.replace(derived, derivation=kept.kept(self._spec, self._derivation))
        text = kept.text_of(told)
        self._version = kept.version_of(text)
        self.keep(applied=text, counters=counters)

    def session(self, ledger: Ledger, owned: RangeSpec) -> None:
        """Derive until the sources have ended and are read, or until stopped."""
        opened = derive_tasks.open_request(self._opened, self._version, owned, ledger.record.state)
        share = None if owned == FULL_RANGE else owned
        shuffled = [Shuffled(index, transform, share) for index, transform in enumerate(self._spec.transforms)]
        sources = [
            self.source(
                transform.source,
                self._sources[transform.source.collection],
                built.journal_read_suffix,
                priority=transform.priority,
                delay_seconds=transform.read_delay_seconds,
            )
            for transform, built in zip(self._transforms, self._spec.transforms, strict=True)
        ]
        with drive.connected(self.launch(owned.key_begin)) as connection:
            connection.send(opened)
            connection.receive(wire.Opened)
            self.shared.progress.note(f"{self.name}: deriving from {', '.join(dict.fromkeys(self.reads))}")
            batches = self.batches(sources, ledger.record.offsets)
            sink = _Sink(self.store, ledger, self._collector, Told(self.shared.progress, self.name))
            derive(connection, shuffled, Combiner([self._collector]), batches, sink)


class _Sink:
    """Commits the transactions of a derivation's shard to the store."""

    def __init__(self, store: Store, ledger: Ledger, collector: Collector, told: Told) -> None:
        self._store = store
        self._told = told
        self._ledger = ledger
        self._collectors = [collector]

    def stage(self, documents: Combined) -> None:
        """`documents` wait for their transaction."""
        self._store.stage(self._collectors, [documents])

    def commit(self, transaction: Committed, documents: Combined) -> None:
        """State, offsets and documents commit."""
        record = self._ledger.after(transaction.states, documents=transaction.stored, read=transaction.read)
        after = msgspec.structs.replace(record, offsets={**record.offsets, **transaction.offsets})
        self._store.commit(self._ledger.key, after, self._collectors, [documents])
        self._ledger.record = after
        self._told.committed(transaction.read)
