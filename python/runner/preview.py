"""`headwater preview`: runs a capture and prints what it commits, as `flowctl preview` does (reference, 10.1)."""

from __future__ import annotations

import contextlib
import functools
import json
import pathlib
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from python.protocol import capture as wire
from python.protocol import document
from python.protocol.errors import HeadwaterError, RemoteProtocolError
from python.protocol.flow import CaptureSpec, ConnectorState, RangeSpec
from python.protocol.patch import apply_state, merge, merge_patch
from python.runner import drive, engines, task_logs, tasks
from python.runner.applying import rounds
from python.runner.build import collector_of, require_targets
from python.runner.catalog import CaptureTask, Catalog
from python.runner.combiner import Combiner, in_key_order, with_uuid_placeholder
from python.runner.durations import parse_seconds
from python.runner.loading import load_catalog
from python.runner.problems import CatalogError
from python.runner.stop import Stop, until_signal
from python.runner.transactions import Limits, Transaction, transactions
from python.shell.child import ChildError
from python.shell.outlet import Outlet

__all__ = ["Options", "preview"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `headwater preview`, as the command line names them."""

    source: str
    name: str | None = None
    sessions: str = "-1"
    timeout: str | None = None
    delay: str = "0s"
    initial_state: str = "{}"
    output_state: bool = False
    output_apply: bool = False
    log_json: bool = False
    shards: int = 1
    network: str = "bridge"


def preview(options: Options) -> None:
    """Print the committed documents of a capture as `["collection",{…}]` lines. Nothing is stored.

    A signal, the time limit and a failure of a shard ask every shard to end at its next checkpoint.
    """
    if options.shards > 1 and (options.output_state or options.output_apply):
        raise HeadwaterError("--output-state and --output-apply need --shards 1: each shard has a state of its own")
    targets, state = _targets(options.sessions), _initial(options.initial_state)
    seconds = _seconds("--timeout", options.timeout) if options.timeout else None
    loaded = load_catalog(pathlib.Path(options.source))
    capture = loaded.capture(options.name, flag="--name")
    if capture.shards.disable:
        sentence = f"{capture.name} is not to run, since its `shards.disable` is true; change that to preview it"
        raise CatalogError.at(capture.where, sentence)
    with until_signal() as stop, contextlib.suppress(_StoppedError):
        previewing = _Previewing(options, capture, loaded, stop)
        state = previewing.applied(state)
        with _stopped_after(seconds, stop):
            previewing.run(targets, state)


class _StoppedError(Exception):
    """The preview was asked to stop before its first session."""


class _Previewing:
    """A capture on its way, in as many shards as asked for."""

    def __init__(self, options: Options, capture: CaptureTask, loaded: Catalog, stop: Stop) -> None:
        self._options = options
        self._capture = capture
        self._stop = stop
        self._said = Outlet(sys.stderr, stop.ask)
        self._printing = threading.Lock()
        self._limits = Limits(seconds_min=_seconds("--delay", options.delay))
        self._launch = self._launched(0)
        require_targets(capture, loaded)
        self._collectors = [collector_of(loaded.collections[binding.target]) for binding in tasks.enabled(capture)]
        with self._unless_stopped():
            validated = drive.ask(self._launch, tasks.validate_request(capture, loaded), wire.Validated)
            self._spec = tasks.task_spec(capture, loaded, validated)
        if stop.asked:
            raise _StoppedError

    def applied(self, state: object) -> object:
        """Apply the spec, print what the connector did, if asked, and return the state it leaves."""

        def ask(state: msgspec.Raw) -> wire.Applied:
            return drive.ask(self._launch, wire.Apply(capture=self._spec, version="preview", state=state), wire.Applied)

        with self._unless_stopped():
            for done in rounds(ask, state):
                state = done.state
                if self._options.output_apply:
                    self._print([f'["applied.actionDescription", {json.dumps(done.action, ensure_ascii=False)}]'])
        return state

    def run(self, targets: Sequence[int], state: object) -> None:
        """Run every shard's sessions, at once, and print the last state, if asked."""
        ranges = tasks.shard_ranges(self._options.shards)
        with ThreadPoolExecutor(len(ranges)) as pool:
            going = [pool.submit(self._shard, owned, targets, state) for owned in ranges]
            for shard in going:
                shard.add_done_callback(lambda done: self._stop.ask() if done.exception() else None)
            states = [shard.result() for shard in going]
        if self._options.output_state:
            self._print([f'["connectorState",{document.encode({"updated": states[0]}).decode()}]'])

    def _shard(self, owned: RangeSpec, targets: Sequence[int], state: object) -> object:
        """Run one shard's sessions, each from the last one's state; return the state after all."""
        launch = self._launched(owned.key_begin)
        for target in targets:
            if self._stop.asked:
                break
            with self._unless_stopped():
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
        lines = [line for part in parts for line in _document_lines(self._spec, part)]
        if self._options.output_state and states:
            lines.append(f'["connectorState",{_delta(states, before, after)}]')
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

    @contextlib.contextmanager
    def _unless_stopped(self) -> Iterator[None]:
        """A connector that was asked to stop may end without an answer, or amid a sequence, which is then dropped."""
        try:
            yield
        except (ChildError, RemoteProtocolError):
            if not self._stop.asked:
                raise


@contextlib.contextmanager
def _stopped_after(seconds: float | None, stop: Stop) -> Iterator[None]:
    """`stop` is asked for after `seconds`, where the `with` lasts that long."""
    limit = threading.Timer(seconds or 0.0, stop.ask)
    if seconds is not None:
        limit.start()
    try:
        yield
    finally:
        limit.cancel()


def _document_lines(spec: CaptureSpec, transaction: Transaction) -> Iterator[str]:
    for binding, combined in zip(spec.bindings, transaction.documents, strict=True):
        name = json.dumps(binding.collection.name, ensure_ascii=False)
        for text in in_key_order(combined):
            yield f"[{name},{with_uuid_placeholder(text, binding.collection.uuid_ptr).decode()}]"


def _delta(states: Sequence[ConnectorState], before: object, after: object) -> str:
    """Return the change of the state: one patch, or the whole state where no patch is known that does the same."""
    if all(state.merge_patch for state in states):
        patch = functools.reduce(_compose, (document.decode(state.updated) for state in states))
        if document.encode(merge(before, patch)) == document.encode(after):
            return msgspec.json.encode(merge_patch(patch)).decode()
    return document.encode({"updated": after}).decode()


def _compose(first: object, second: object) -> object:
    """Return the merge patch that does what `first` and then `second` do; nulls stay, since they delete.

    Where `second` adds to an object that `first` removes or replaces, no merge patch does that.
    """
    if not isinstance(first, dict) or not isinstance(second, dict):
        return second
    return {**first, **{name: _compose(first.get(name), value) for name, value in second.items()}}


def _targets(sessions: str) -> list[int]:
    try:
        return [int(part) for part in sessions.split(",")]
    except ValueError:
        raise HeadwaterError(f"--sessions is {sessions!r}; it is a list of counts, such as 1,2 or -1") from None


def _seconds(option: str, text: str) -> float:
    try:
        return parse_seconds(text)
    except ValueError as error:
        raise HeadwaterError(f"{option}: {error}") from None


def _initial(text: str) -> object:
    try:
        return document.decode(text.encode())
    except HeadwaterError as error:
        raise HeadwaterError(f"--initial-state is not JSON: {error}") from None
