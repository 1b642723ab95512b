"""A capture in a run: sessions of its connector, whose documents and state commit together."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence

import msgspec

from python.protocol import capture as wire
from python.protocol.flow import CaptureBinding, CaptureSpec, RangeSpec
from python.protocol.state_key import encode_state_key
from python.runner import drive, kept, tasks
from python.runner.build import collector_of
from python.runner.catalog import CaptureBinding as BindingSpec
from python.runner.catalog import CaptureTask, Catalog
from python.runner.combiner import Combiner
from python.runner.counters import Counter, raised
from python.runner.jobs import Job, Ledger, Shared, declared
from python.runner.transactions import Transaction, limits_of, transactions

__all__ = ["CaptureJob"]


class CaptureJob(Job):
    """One capture on its way."""

    def __init__(self, task: CaptureTask, catalog: Catalog, shared: Shared) -> None:
        super().__init__(task, catalog, shared)
        self._capture = task
        self._targets = [binding.target for binding in tasks.enabled(task)]

    @property
    def reads(self) -> Sequence[str]:
        """Nothing."""
        return ()

    @property
    def writes(self) -> Sequence[str]:
        """The targets of its bindings."""
        return self._targets

    def build(self) -> None:
        """Validate and apply. Raises what is wrong with the capture, its collections, or its connector."""
        applied = self.store.task(self.name, 0).applied
        last, last_version = kept.spec_in(applied, CaptureSpec), kept.version_of(applied)
        asked = tasks.validate_request(self._capture, self.catalog, last)
        asked = msgspec.structs.replace(asked, last_version=last_version)
        self._collectors = [collector_of(self.catalog.collections[name]) for name in self._targets]
        validated = drive.ask(self.launch(), asked, wire.Validated)
        self._spec = tasks.task_spec(self._capture, self.catalog, validated, last)
        counters = map(_counter, tasks.enabled(self._capture), self._spec.bindings)
        self.keep(counters=raised(counters, self.store.task(self.name, 0).counters))
        text = kept.text_of(kept.kept(self._spec, self._capture))
        self._version = kept.version_of(text)
        self.store.declare({name: declared(self.catalog.collections[name]) for name in self._targets})
        if applied != text:
            request = functools.partial(
                wire.Apply, capture=self._spec, version=self._version, last_capture=last, last_version=last_version
            )
            self.apply(lambda state: request(state=state), applied=text)
        self._limits = limits_of(self._capture.shards)

    def sessions(self) -> None:
        """Run one session, or with `continuous` one each interval."""
        shared, interval = self.shared, self._capture.interval_seconds
        while not shared.stop.asked:
            began = time.monotonic()
            super().sessions()
            if not shared.options.continuous:
                return
            shared.progress.waiting(self.name, interval)
            shared.stop.wait(max(0.0, began + interval - time.monotonic()))

    def session(self, ledger: Ledger, owned: RangeSpec) -> None:
        """Capture until the connector ends."""
        opened = tasks.open_request(self._spec, self._version, owned, ledger.record.state)
        with drive.open_stream(self.launch(owned.key_begin), opened) as stream:
            told = self.shared.progress.started(self.name, self._targets)
            stream.batches = functools.partial(told.watched, stream.batches())
            combiner = Combiner(self._collectors)
            for transaction in transactions(stream, combiner, time.monotonic, self._limits):
                self._commit(ledger, transaction)
                (told.staged if transaction.partial else told.committed)(transaction)

    def _commit(self, ledger: Ledger, transaction: Transaction) -> None:
        if transaction.partial:
            self.store.stage(self._collectors, transaction.documents)
            return
        after = ledger.after(transaction.states, documents=transaction.captured)
        self.store.commit(ledger.key, after, self._collectors, transaction.documents)
        ledger.record = after


def _counter(binding: BindingSpec, built: CaptureBinding) -> Counter:
    path = built.resource_path
    what = f"the binding of {'/'.join(path)} into {binding.target}"
    return Counter(key=encode_state_key(path, 0), backfill=binding.backfill, what=what, where=binding.where)
