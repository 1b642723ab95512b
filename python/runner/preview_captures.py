"""The preview of a capture: sessions in as many shards as asked for, whose transactions are printed."""

from __future__ import annotations

import functools
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from python.protocol import capture as wire
from python.protocol.errors import HeadwaterError
from python.protocol.flow import RangeSpec
from python.protocol.patch import apply_state
from python.runner import drive, engines, task_logs, tasks
from python.runner.applying import rounds
from python.runner.build import collector_of, require_targets
from python.runner.catalog import CaptureTask, Catalog
from python.runner.combiner import Combiner
from python.runner.preview_lines import action_line, change_line, document_lines, state_line
from python.runner.preview_options import Meaning, Options, stopped_after
from python.runner.stop import Stop
from python.runner.transactions import Limits, Transaction, transactions
from python.shell.outlet import Outlet

__all__ = ["preview_capture"]


def preview_capture(asked: tuple[Options, Meaning], capture: CaptureTask, catalog: Catalog, stop: Stop) -> None:
    """Print what a capture commits. Raises what went wrong, unless a connector was asked to stop before."""
    options, meant = asked
    if options.fixture is not None:
        raise HeadwaterError(f"{capture.name} is a capture, and reads nothing: --fixture is for what reads collections")
    previewing = _Previewing(options, capture, catalog, stop)
    if stop.asked:
        return
    state = previewing.applied(meant.state)
    with stopped_after(meant.timeout_seconds, stop):
        previewing.run(meant, state)


class _Previewing:
    """A capture on its way, in as many shards as asked for."""

    def __init__(self, options: Options, capture: CaptureTask, catalog: Catalog, stop: Stop) -> None:
        self._options = options
        self._capture = capture
        self._stop = stop
        self._said = Outlet(sys.stderr, stop.ask)
        self._printing = threading.Lock()
        self._launch = self._launched(0)
        require_targets(capture, catalog)
        self._collectors = [collector_of(catalog.collections[binding.target]) for binding in tasks.enabled(capture)]
        with stop.excused():
            validated = drive.ask(self._launch, tasks.validate_request(capture, catalog), wire.Validated)
            self._spec = tasks.task_spec(capture, catalog, validated)

    def applied(self, state: object) -> object:
        """Apply the spec, print what the connector did, if asked, and return the state it leaves."""

        def ask(state: msgspec.Raw) -> wire.Applied:
            return drive.ask(self._launch, wire.Apply(capture=self._spec, version="preview", state=state), wire.Applied)

        with self._stop.excused():
            for done in rounds(ask, state):
                state = done.state
                if self._options.output_apply:
                    self._print([action_line(done.action)])
        return state

    def run(self, meant: Meaning, state: object) -> None:
        """Run every shard's sessions, at once, and print the last state, if asked."""
        self._limits = Limits(seconds_min=meant.delay_seconds)
        ranges = tasks.shard_ranges(self._options.shards)
        with ThreadPoolExecutor(len(ranges)) as pool:
            going = [pool.submit(self._shard, owned, meant.targets, state) for owned in ranges]
            for shard in going:
                shard.add_done_callback(lambda done: self._stop.ask() if done.exception() else None)
            states = [shard.result() for shard in going]
        if self._options.output_state:
            self._print([state_line(states[0])])

    def _shard(self, owned: RangeSpec, wanted: Sequence[int], state: object) -> object:
        """Run one shard's sessions, each from the last one's state; return the state after all."""
        launch = self._launched(owned.key_begin)
        for target in wanted:
            if self._stop.asked:
                break
            with self._stop.excused():
                opened = tasks.open_request(self._spec, "preview", owned, state)
                for changed in self._session(launch, opened, target):
                    state = self._committed(changed, state)
        return state

    def _session(self, launch: drive.Launch, opened: wire.Open, target: int) -> Iterator[list[Transaction]]:
        """Yield the session's transactions, each with its parts: `target` of them, or all where it is not positive."""
        with drive.open_stream(launch, opened) as stream:
            combiner = Combiner(self._collectors)
            parts: list[Transaction] = []
            done = 0
            for transaction in transactions(stream, combiner, time.monotonic, self._limits):
                parts.append(transaction)
                if transaction.partial:
                    continue
                yield parts
                parts = []
                done += 1
                if done == target:
                    return

    def _committed(self, parts: Sequence[Transaction], before: object) -> object:
        """Print what commits, and return the state after it."""
        states = parts[-1].states
        after = functools.reduce(apply_state, states, before)
        lines = [
            line
            for part in parts
            for binding, combined in zip(self._spec.bindings, part.documents, strict=True)
            for line in document_lines(binding.collection, combined)
        ]
        if self._options.output_state and states:
            lines.append(change_line(states, before, after))
        self._print(lines)
        return after

    def _print(self, lines: Sequence[str]) -> None:
        with self._printing:
            sys.stdout.writelines(line + "\n" for line in lines)
            sys.stdout.flush()

    def _launched(self, key_begin: int) -> drive.Launch:
        on_log = task_logs.writer(self._said, self._capture, as_json=self._options.log_json, key_begin=key_begin)
        launch = engines.launch(self._capture, on_log, self._options.network)
        return msgspec.structs.replace(launch, stop=self._stop)
