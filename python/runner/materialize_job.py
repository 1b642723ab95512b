"""A materialization in a run: its offsets and its connector's state commit together, and with the endpoint's commit."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import msgspec

from python.protocol import materialize as wire
from python.protocol.flow import FULL_RANGE, ConnectorState, MaterializationSpec, RangeSpec
from python.protocol.wire import ABSENT
from python.runner import drive, kept, materialize_tasks
from python.runner.catalog import Catalog
from python.runner.catalog_readers import MaterializationTask
from python.runner.jobs import Ledger, Shared
from python.runner.materialize_build import Before, Building
from python.runner.materializing import Committed, materialize, offsets_in
from python.runner.problems import CatalogError
from python.runner.reader_job import ReaderJob, Told
from python.runner.store import Store
from python.runner.stored import Stored

__all__ = ["MaterializeJob"]


class MaterializeJob(ReaderJob):
    """One materialization on its way."""

    def __init__(self, task: MaterializationTask, catalog: Catalog, shared: Shared) -> None:
        super().__init__(task, catalog, shared)
        self._materialization = task

    @property
    def reads(self) -> Sequence[str]:
        """The sources of its bindings."""
        return [binding.source.collection for binding in materialize_tasks.enabled(self._materialization)]

    @property
    def writes(self) -> Sequence[str]:
        """No collection."""
        return ()

    def build(self) -> None:
        """Validate, select fields, and apply. Raises what is wrong with the task, its collections, or its connector."""
        bindings = materialize_tasks.enabled(self._materialization)
        sources = self.follow([binding.source for binding in bindings])
        record = self.store.task(self.name, 0)
        last, last_version = kept.spec_in(record.applied, MaterializationSpec), kept.version_of(record.applied)
        before = Before(spec=last, version=last_version, backfills=record.backfills, counters=record.counters)
        building = Building(self._materialization, sources, before)
        built = building.build(lambda asked: drive.ask(self.launch(), asked, wire.Validated))
        for sentence in built.notes:
            self.shared.progress.note(f"{self.name}: {sentence}")
        self._bindings, self._spec = built.bindings, built.spec
        text = kept.text_of(kept.kept(self._spec, self._materialization))
        self._version = kept.version_of(text)
        # Kept before the endpoint is changed: if what changes it is killed, the next build must have no lower counter.
        self.keep(counters=built.counters, backfills=built.backfills)
        if record.applied != text:
            request = functools.partial(
                wire.Apply,
                materialization=self._spec,
                version=self._version,
                last_materialization=last,
                last_version=last_version,
            )
            self.apply(lambda state: request(state=state), applied=text)

    def session(self, ledger: Ledger, owned: RangeSpec) -> None:
        """Materialize until the sources have ended and are read, or until stopped."""
        opened = materialize_tasks.open_request(self._spec, self._version, owned, ledger.record.state)
        share = None if owned == FULL_RANGE else owned
        stored = [Stored(index, binding, share) for index, binding in enumerate(self._spec.bindings)]
        sources = [
            self.source(wanted.source, binding.collection, binding.journal_read_suffix, priority=wanted.priority)
            for wanted, binding in zip(self._bindings, self._spec.bindings, strict=True)
        ]
        with drive.connected(self.launch(owned.key_begin)) as connection:
            connection.send(opened)
            answer = connection.receive(wire.Opened)
            self.shared.progress.note(f"{self.name}: materializing {', '.join(dict.fromkeys(self.reads))}")
            offsets = self._offsets(ledger, answer, [source.name for source in sources])
            for each, source in zip(stored, sources, strict=True):
                if not offsets.get(source.name) and not answer.disable_load_optimization:
                    each.begin_empty()
            materialize(
                connection,
                stored,
                self.batches(sources, offsets),
                _Sink(self.store, ledger, Told(self.shared.progress, self.name)),
            )

    def _offsets(self, ledger: Ledger, opened: wire.Opened, names: Sequence[str]) -> Mapping[str, int]:
        """Return where to read on: the endpoint knows best, where it keeps a checkpoint."""
        if opened.runtime_checkpoint in (ABSENT, b"null"):
            return ledger.record.offsets
        offsets = offsets_in(opened.runtime_checkpoint)
        for binding, name in zip(self._bindings, names, strict=True):
            _, _, suffix = name.partition(";")
            own = [
                other for other in offsets if other.endswith(f";{suffix}") and _collection(other) == _collection(name)
            ]
            if own and name not in own:
                raise CatalogError.at(
                    binding.where,
                    f"the endpoint holds documents of {_collection(name)} from another store than "
                    f"{self.store.path}, and these would come twice: give that store's file with --store, or raise "
                    f"the binding's `backfill` counter to {binding.backfill + 1} to fill its resource anew",
                )
        return offsets


def _collection(name: str) -> str:
    return name.partition(";")[0].rpartition("/")[0]


class _Sink:
    """Commits the transactions of a materialization's shard to the store."""

    def __init__(self, store: Store, ledger: Ledger, told: Told) -> None:
        self._store = store
        self._told = told
        self._ledger = ledger

    def update(self, state: ConnectorState) -> None:
        """The connector's state is durable."""
        self._ledger.update(state)

    def commit(self, transaction: Committed) -> None:
        """State and offsets commit."""
        record = self._ledger.after(transaction.states, documents=transaction.stored, read=transaction.read)
        after = msgspec.structs.replace(record, offsets={**record.offsets, **transaction.offsets})
        self._store.commit(self._ledger.key, after, (), ())
        self._ledger.record = after
        self._told.committed(transaction.read)
