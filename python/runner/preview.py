"""`headwater preview`: runs a capture and prints what it commits, as `flowctl preview` does (reference, 10.1)."""

from __future__ import annotations

import functools
import json
import pathlib
import sys
import time
from collections.abc import Iterator

import msgspec

from python.protocol import capture as wire
from python.protocol import document
from python.protocol.errors import HeadwaterError
from python.protocol.flow import CaptureSpec
from python.protocol.patch import apply_state, merge_patch
from python.runner import drive, engines, task_logs, tasks
from python.runner.combiner import Collector, Combiner, in_key_order, with_uuid_placeholder
from python.runner.durations import parse_seconds
from python.runner.loading import load_catalog
from python.runner.transactions import Limits, Transaction, transactions

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
    """Print the committed documents of a capture as `["collection",{…}]` lines. Nothing is stored."""
    if options.shards > 1 and (options.output_state or options.output_apply):
        raise HeadwaterError("--output-state and --output-apply need --shards 1: each shard has a state of its own")
    loaded = load_catalog(pathlib.Path(options.source))
    capture = loaded.capture(options.name)
    launch = engines.launch(capture, task_logs.writer(sys.stderr, capture, as_json=options.log_json), options.network)
    validated = drive.ask(launch, tasks.validate_request(capture, loaded), wire.Validated)
    spec = tasks.task_spec(capture, loaded, validated)
    previewing = _Previewing(options, launch, spec)
    previewing.apply()
    for target in _targets(options.sessions):
        for owned in tasks.shard_ranges(options.shards):
            previewing.session(owned, target)
        if previewing.timed_out:
            break
    if options.output_state:
        _print(f'["connectorState",{document.encode({"updated": previewing.state}).decode()}]')


class _Previewing:
    """A capture whose state is kept in memory from session to session."""

    def __init__(self, options: Options, launch: drive.Launch, spec: CaptureSpec) -> None:
        self._options = options
        self._launch = launch
        self._spec = spec
        self._limits = Limits(seconds_min=_seconds("--delay", options.delay))
        self._deadline = time.monotonic() + _seconds("--timeout", options.timeout) if options.timeout else None
        self.state = _initial(options.initial_state)
        self.timed_out = False

    def apply(self) -> None:
        """Apply the spec, and print what the connector did, if asked."""
        state = msgspec.Raw(document.encode(self.state))
        applied = drive.ask(self._launch, wire.Apply(capture=self._spec, version="preview", state=state), wire.Applied)
        if applied.state is not None:
            self.state = apply_state(self.state, applied.state)
        if self._options.output_apply:
            _print(f'["applied.actionDescription", {json.dumps(applied.action_description, ensure_ascii=False)}]')

    def session(self, owned: object, target: int) -> None:
        """Run one session: `target` transactions, or without limit where it is not positive."""
        opened = tasks.open_request(self._spec, "preview", owned, self.state)  # type: ignore[arg-type] # a RangeSpec
        done = 0
        with drive.open_stream(self._launch, opened) as stream:
            collectors = [Collector(binding.collection) for binding in self._spec.bindings]
            kept: list[Transaction] = []
            for transaction in transactions(self._timed(stream), Combiner(collectors), time.monotonic, self._limits):
                kept.append(transaction)
                if transaction.partial:
                    continue
                self._commit(kept)
                kept.clear()
                done += 1
                if done == target:
                    return

    def _timed(self, stream: drive.Stream) -> drive.Stream:
        """Ask the connector to stop once the time is over."""
        batches = stream.batches()

        def ticking() -> Iterator[list[object]]:
            for batch in batches:
                if self._deadline is not None and time.monotonic() >= self._deadline and not self.timed_out:
                    self.timed_out = True
                    stream.stop()
                yield batch  # type: ignore[misc] # the messages of one protocol

        stream.batches = ticking  # type: ignore[assignment] # the same batches
        return stream

    def _commit(self, kept: list[Transaction]) -> None:
        for transaction in kept:
            for binding, combined in zip(self._spec.bindings, transaction.documents, strict=True):
                name = json.dumps(binding.collection.name, ensure_ascii=False)
                for text in in_key_order(combined):
                    _print(f"[{name},{with_uuid_placeholder(text, binding.collection.uuid_ptr).decode()}]")
        before = self.state
        self.state = functools.reduce(apply_state, kept[-1].states, self.state)
        if self._options.output_state and kept[-1].states:
            _print(f'["connectorState",{_delta(kept[-1], before)}]')
        sys.stdout.flush()


def _delta(transaction: Transaction, before: object) -> str:
    """Return the transaction's change of the state: one patch, or the whole state after a replacement."""
    if all(state.merge_patch for state in transaction.states):
        patches = [document.decode(state.updated) for state in transaction.states]
        patch = functools.reduce(_compose, patches)
        return msgspec.json.encode(merge_patch(patch)).decode()
    after = functools.reduce(apply_state, transaction.states, before)
    return document.encode({"updated": after}).decode()


def _compose(first: object, second: object) -> object:
    """Return the merge patch that does what `first` and then `second` do; nulls stay, since they delete."""
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
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise HeadwaterError(f"--initial-state is not JSON: {error}") from None


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
