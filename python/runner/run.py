"""`headwater run`: the main job. Captures into the store; documents and connector state commit together."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import pathlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from python.protocol import capture as wire
from python.protocol import document
from python.protocol.errors import HeadwaterError, RemoteProtocolError
from python.protocol.flow import CaptureSpec, RangeSpec
from python.protocol.log import Log
from python.protocol.patch import apply_state
from python.runner import drive, engines, task_logs, tasks
from python.runner.applying import rounds
from python.runner.build import collection_spec, require_targets
from python.runner.catalog import CaptureTask, Catalog, Collection
from python.runner.combiner import Collector, Combiner
from python.runner.loading import load_catalog
from python.runner.progress import Progress
from python.runner.stop import Stop
from python.runner.store import Store, TaskRecord
from python.runner.transactions import Limits, Transaction, transactions
from python.runner.views import Column, columns_of
from python.shell.child import ChildError
from python.shell.outlet import Outlet
from python.shell.signals import Watch

__all__ = ["Options", "run"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `headwater run`, as the command line names them."""

    source: str
    name: str | None = None
    store_path: str = "headwater.duckdb"
    continuous: bool = False
    shards: int = 1
    log_json: bool = False


def run(options: Options) -> int:
    """Run the captures of a spec until each has ended a session, or until stopped; return the exit status.

    A capture that fails does not stop the others. What had been committed stays; the next run resumes from it.
    """
    loaded = load_catalog(pathlib.Path(options.source))
    captures = [loaded.capture(options.name)] if options.name else list(loaded.captures.values())
    if not captures:
        loaded.capture(None)
    store = Store(options.store_path)
    stop = Stop()
    said = Outlet(sys.stderr, stop.ask)
    progress = Progress(said)
    watch = Watch(lambda _number, _frame: None, stop.ask)
    watch.start()
    try:
        shared = _Shared(store, progress, stop, said)
        for capture in captures:
            if capture.shards.disable:
                progress.note(f"{capture.name}: skipped, since its `shards.disable` is true")
        enabled = [capture for capture in captures if not capture.shards.disable]
        jobs = {capture.name: _Job(capture, loaded, shared, options) for capture in enabled}
        failures = _all_ended({name: job.run for name, job in jobs.items()})
    finally:
        watch.close()
        progress.close()
        store.close()
    for failure in failures:
        said.write(f"headwater: {failure}\n")
    progress.summary(sys.stdout, options.store_path)
    return 1 if failures else 0


def _all_ended(jobs: Mapping[str, Callable[[], None]]) -> list[str]:
    """Run every job on a thread of its own, and return why some failed, with their names."""
    failures: list[str] = []

    def guarded(name: str, job: Callable[[], None]) -> None:
        try:
            job()
        except HeadwaterError as error:
            failures.append(f"{name}: {error}")

    threads = [threading.Thread(target=guarded, args=named) for named in jobs.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


class _Shared(NamedTuple):
    """What all captures of a run share."""

    store: Store
    progress: Progress
    stop: Stop
    said: Outlet


class _Job:
    """One capture on its way: built, applied, and run session by session."""

    def __init__(self, capture: CaptureTask, loaded: Catalog, shared: _Shared, options: Options) -> None:
        self._capture = capture
        self._catalog = loaded
        self._store = shared.store
        self._progress = shared.progress
        self._options = options
        self._stop = shared.stop
        self._said = shared.said
        self._launch = msgspec.structs.replace(engines.launch(capture, self._on_log(0)), stop=shared.stop)
        require_targets(capture, loaded)
        names = [binding.target for binding in tasks.enabled(capture)]
        self._collectors = [Collector(collection_spec(loaded.collections[name])) for name in names]
        shortest = capture.shards.min_txn_seconds
        self._limits = Limits() if shortest is None else Limits(seconds_min=shortest)

    def _on_log(self, key_begin: int) -> Callable[[Log], None]:
        return task_logs.writer(self._said, self._capture, as_json=self._options.log_json, key_begin=key_begin)

    def run(self) -> None:
        """Run sessions: one, or with `continuous` one each interval. Raises what ended the capture, with its name."""
        with self._unless_stopped():
            self._sessions(*self._built())

    @contextlib.contextmanager
    def _unless_stopped(self) -> Iterator[None]:
        """A connector that was asked to stop may end without an answer, or amid a sequence, which is then repeated."""
        try:
            yield
        except (ChildError, RemoteProtocolError):
            if not self._stop.asked:
                raise

    def _sessions(self, spec: CaptureSpec, version: str) -> None:
        while not self._stop.asked:
            began = time.monotonic()
            self._session(spec, version)
            if not self._options.continuous:
                return
            self._progress.waiting(self._capture.name, self._capture.interval_seconds)
            self._stop.wait(max(0.0, began + self._capture.interval_seconds - time.monotonic()))

    def _built(self) -> tuple[CaptureSpec, str]:
        last = self._last()
        asked = tasks.validate_request(self._capture, self._catalog, last)
        validated = drive.ask(self._launch, asked, wire.Validated)
        spec = tasks.task_spec(self._capture, self._catalog, validated, last)
        text = msgspec.json.encode(_kept(spec)).decode()
        version = hashlib.sha256(text.encode()).hexdigest()[:16]
        self._declare()
        if self._store.task(self._capture.name, 0).applied != text:
            self._apply(spec, version, last, text)
        return spec, version

    def _declare(self) -> None:
        targets = [self._catalog.collections[binding.target] for binding in tasks.enabled(self._capture)]
        self._store.declare({found.name: _declared(found) for found in targets})

    def _last(self) -> CaptureSpec | None:
        text = self._store.task(self._capture.name, 0).applied
        return msgspec.json.decode(text, type=CaptureSpec) if text else None

    def _apply(self, spec: CaptureSpec, version: str, last: CaptureSpec | None, text: str) -> None:
        record = self._store.task(self._capture.name, 0)

        def ask(state: msgspec.Raw) -> wire.Applied:
            asked = wire.Apply(capture=spec, version=version, last_capture=last, state=state)
            return drive.ask(self._launch, asked, wire.Applied)

        for applied in rounds(ask, record.state):
            if applied.action:
                self._progress.note(f"{self._capture.name}: applied: {applied.action}")
            record = msgspec.structs.replace(
                record, state=applied.state, applied=text if applied.last else record.applied
            )
            self._store.save((self._capture.name, 0), record)

    def _session(self, spec: CaptureSpec, version: str) -> None:
        ranges = tasks.shard_ranges(self._options.shards)
        if len(ranges) == 1:
            self._shard(spec, version, (0, ranges[0]))
            return
        shards = {
            f"shard {number}": functools.partial(self._shard, spec, version, (number, shard))
            for number, shard in enumerate(ranges)
        }
        failures = _all_ended(shards)
        if failures:
            raise HeadwaterError("; ".join(failures))

    def _shard(self, spec: CaptureSpec, version: str, shard: tuple[int, RangeSpec]) -> None:
        number, owned = shard
        record = self._store.task(self._capture.name, number)
        names = [binding.collection.name for binding in spec.bindings]
        opened = tasks.open_request(spec, version, owned, record.state)
        launch = msgspec.structs.replace(self._launch, on_log=self._on_log(owned.key_begin))
        with self._unless_stopped(), drive.open_stream(launch, opened) as stream:
            told = self._progress.started(self._capture.name, names)
            stream.batches = functools.partial(told.watched, stream.batches())
            combiner = Combiner(self._collectors)
            try:
                for transaction in transactions(stream, combiner, time.monotonic, self._limits):
                    record = self._commit((self._capture.name, number), record, transaction)
                    (told.staged if transaction.partial else told.committed)(transaction)
            finally:
                self._store.roll_back()

    def _commit(self, shard: tuple[str, int], record: TaskRecord, transaction: Transaction) -> TaskRecord:
        if transaction.partial:
            self._store.stage(self._collectors, transaction.documents)
            return record
        state = functools.reduce(apply_state, transaction.states, record.state)
        record = msgspec.structs.replace(
            record,
            state=state,
            transactions=record.transactions + 1,
            documents=record.documents + transaction.captured,
        )
        self._store.commit(shard, record, self._collectors, transaction.documents)
        return record


def _kept(spec: CaptureSpec) -> CaptureSpec:
    """Return `spec` as the store keeps it, to see changes by: the config's digest stands for its secrets."""
    digest = hashlib.sha256(spec.config).hexdigest()
    return msgspec.structs.replace(spec, config=msgspec.Raw(document.encode({"sha256": digest})))


def _declared(found: Collection) -> tuple[bytes, list[Column]]:
    """Return what the store keeps of a collection: what identifies it, and the columns of its view."""
    return document.encode({"key": list(found.key)}), columns_of(found.read_schema or found.write_schema)
