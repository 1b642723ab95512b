"""The preview of a derivation or a materialization: a fixture, one transaction after the other (decision 0064).

Every shard has a process of its own, and takes part in every transaction. Nothing is stored here; what a
materialization stores, it stores to the endpoint of its config.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from python.protocol import document
from python.protocol.errors import HeadwaterError
from python.protocol.flow import RangeSpec
from python.runner import drive, engines, task_logs, tasks
from python.runner.catalog import Catalog
from python.runner.catalog_readers import DerivationTask, MaterializationTask
from python.runner.collector import ViolationError
from python.runner.fixtures import Given, transactions_in
from python.runner.fixtures_feed import Journals, batch_of
from python.runner.preview_lines import action_line, state_line
from python.runner.preview_options import Meaning, Options, stopped_after
from python.runner.preview_shards import Derivation, Materialization, Reading, Shard
from python.runner.problems import CatalogError
from python.runner.reader_tasks import utc_clock
from python.runner.reading import Batch, Reader
from python.runner.stop import Stop
from python.runner.stored import reading_collector
from python.shell.outlet import Outlet

__all__ = ["preview_reader"]


def preview_reader(
    asked: tuple[Options, Meaning], task: DerivationTask | MaterializationTask, catalog: Catalog, stop: Stop
) -> None:
    """Print what a task makes of a fixture. Raises what went wrong, unless it was asked to stop before."""
    options, meant = asked
    if options.fixture is None:
        raise HeadwaterError(
            f"{task.name} reads collections: give their documents with --fixture FILE, in lines such as "
            '["acmeCo/users",{"id":1}] and {"commit":true}; or read those of a store, with `headwater run`'
        )
    if meant.delay_seconds:
        raise HeadwaterError("--delay is not for fixtures, which say themselves what a transaction is; leave it out")
    previewing = _Previewing(options, task, stop)
    with stop.excused():
        reading = previewing.built(catalog)
        state = previewing.applied(reading, meant.state)
        with stopped_after(meant.timeout_seconds, stop):
            previewing.run(reading, meant.targets, state)


class _Previewing:
    """A reader on its way, in as many shards as asked for."""

    def __init__(self, options: Options, task: DerivationTask | MaterializationTask, stop: Stop) -> None:
        self._options = options
        self._task = task
        self._stop = stop
        self._said = Outlet(sys.stderr, stop.ask)

    def built(self, catalog: Catalog) -> Reading:
        """Validate the task. Raises what is wrong with it, its collections, or its connector."""
        launch = self._launched(0)
        if isinstance(self._task, DerivationTask):
            return Derivation(self._task, catalog, launch)
        reading = Materialization(self._task, catalog, launch)
        for note in reading.notes:
            self._said.write(f"{self._task.name}: {note}\n")
        return reading

    def applied(self, reading: Reading, state: object) -> object:
        """Apply the task, print what its connector did, if asked, and return the state it leaves."""
        for done in reading.applied(state):
            state = done.state
            if self._options.output_apply:
                _print([action_line(done.action)])
        return state

    def run(self, reading: Reading, targets: Sequence[int], state: object) -> None:
        """Run the sessions, each from the last one's states, and print the last state, if asked."""
        assert self._options.fixture is not None, "who calls has looked"  # noqa: S101 -- our own code alone can break it
        ranges = tasks.shard_ranges(self._options.shards)
        shards = [Shard(state) for _ in ranges]
        with contextlib.closing(transactions_in(self._options.fixture, self._stop)) as given:
            batches = _Batches(reading, given)
            for target in targets:
                with self._stop.excused():
                    wanted = itertools.islice(batches, target) if target > 0 else batches
                    self._session(reading, wanted, list(zip(ranges, shards, strict=True)))
                self._tell_changes(shards)
        if not batches.any:
            self._said.write(f"{self._task.name}: --fixture {self._options.fixture} has no transaction\n")
        if self._options.output_state:
            _print([state_line(shards[0].state)])
        if isinstance(self._task, MaterializationTask):
            stored = sum(shard.stored for shard in shards)
            self._said.write(f"{self._task.name}: {stored:,} documents stored\n")

    def _session(self, reading: Reading, batches: Iterable[Batch], shards: Sequence[tuple[RangeSpec, Shard]]) -> None:
        with contextlib.ExitStack() as stack:
            going = []
            for owned, shard in shards:
                connection = stack.enter_context(drive.connected(self._launched(owned.key_begin)))
                going.append(reading.opened(connection, owned, shard))
            for batch in batches:
                for each in going:
                    each.transaction(batch)
                _print(reading.lines([part for _, shard in shards for part in shard.documents()]))
                self._tell_changes([shard for _, shard in shards])
            for each in going:
                each.finish()

    def _tell_changes(self, shards: Sequence[Shard]) -> None:
        lines = [line for shard in shards for line in shard.changes()]
        if self._options.output_state:
            _print(lines)

    def _launched(self, key_begin: int) -> drive.Launch:
        on_log = task_logs.writer(self._said, self._task, as_json=self._options.log_json, key_begin=key_begin)
        launch = engines.launch(self._task, on_log, self._options.network)
        return msgspec.structs.replace(launch, stop=self._stop)


class _Batches:
    """The transactions of a fixture, as batches of what the task reads: an iterator, over all sessions."""

    def __init__(self, reading: Reading, given: Iterator[list[Given]]) -> None:
        self._given = given
        self.any = False
        """Whether there was a transaction."""
        self._journals = Journals(utc_clock())
        self._collectors = {name: reading_collector(spec) for name, spec in reading.collections.items()}
        self._reader = Reader(self._journals, reading.sources, {}, lambda: True, utc_clock)
        self._offsets = {source.name: 0 for source in reading.sources}

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        """Return the next transaction, which may be empty. Raises CatalogError for a document that is wrong."""
        for given in next(self._given):
            self._journals.add(given.collection, [self._checked(given)])
        self.any = True
        batch = batch_of(self._reader) or Batch(runs=(), offsets=self._offsets)
        self._offsets = dict(batch.offsets)
        self._journals.forget()
        return batch

    def _checked(self, given: Given) -> bytes:
        collector = self._collectors.get(given.collection)
        if collector is None:
            known = ", ".join(self._collectors) or "none"
            sentence = f"is of {given.collection}, which the task does not read; its sources are: {known}"
            raise CatalogError.at(given.where, sentence)
        doc = _without_uuid(given.doc)
        try:
            collector.key(doc)
        except ViolationError as error:
            raise CatalogError.at(given.where, str(error)) from None
        return doc


def _without_uuid(doc: bytes) -> bytes:
    """Return a document without the UUID that its reading from a real collection may have left in it."""
    if b'"uuid"' not in doc:
        return doc
    value = document.decode(doc)
    meta = value.get("_meta") if isinstance(value, dict) else None
    if not isinstance(meta, dict) or meta.pop("uuid", None) is None:
        return doc
    return document.encode(value)


def _print(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()
