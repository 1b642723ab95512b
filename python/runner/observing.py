"""A capture seen from outside: what its connector answers, and what it commits from a given state, as values.

Nothing is printed and nothing is kept: that is for those who look, as snapshots and comparisons do.
"""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from python.protocol import capture as wire
from python.protocol.flow import CaptureSpec, CollectionSpec
from python.protocol.patch import apply_state
from python.runner import drive, tasks
from python.runner.applying import rounds
from python.runner.build import collector_of, require_targets
from python.runner.catalog import CaptureTask, Catalog
from python.runner.combiner import Combiner, in_key_order, with_uuid_placeholder
from python.runner.preview_options import stopped_after
from python.runner.stop import Stop
from python.runner.transactions import Limits, Transaction, transactions

__all__ = ["Committed", "Observation", "discovered_of", "spec_of"]


class Committed(msgspec.Struct, frozen=True):
    """One transaction: its documents as JSON text in the order of their keys, by binding, and the state after it."""

    documents: tuple[tuple[bytes, ...], ...]
    state: object


def spec_of(task: CaptureTask, launch: drive.Launch) -> wire.SpecResponse:
    """Return what the connector of `task` answers to `spec`. Raises ChildError where it fails."""
    config = tasks.discover_request(task).config
    return drive.ask(launch, wire.Spec(connector_type=launch.connector_type, config=config), wire.SpecResponse)


def discovered_of(task: CaptureTask, launch: drive.Launch) -> tuple[wire.DiscoveredBinding, ...]:
    """Return the bindings that the connector of `task` discovers. Raises ChildError where it fails."""
    return drive.ask(launch, tasks.discover_request(task), wire.Discovered).bindings


class Observation:
    """A capture that is validated, and can be run as often as wanted. `spec` is what its connector is opened with.

    `cut_off` says whether the last run did not end by itself: it came to the limit of time that it had.
    """

    def __init__(self, task: CaptureTask, catalog: Catalog, launch: drive.Launch) -> None:
        require_targets(task, catalog)
        self._launch = launch
        self._collectors = [collector_of(catalog.collections[binding.target]) for binding in tasks.enabled(task)]
        validated = drive.ask(launch, tasks.validate_request(task, catalog), wire.Validated)
        self.cut_off = False
        self.spec: CaptureSpec = tasks.task_spec(task, catalog, validated)

    def run(self, state: object = None, seconds_max: float | None = None) -> Iterator[Committed]:
        """Yield what commits in one session that begins with `state`, {} by default.

        Transactions are as large as memory allows, so what they are depends on no clock. After `seconds_max` the
        connector is asked to end at its next checkpoint, and so it is when the launch's own `stop` is asked for.
        """
        state = self._applied({} if state is None else state)
        (owned,) = tasks.shard_ranges(1)
        opened = tasks.open_request(self.spec, "observed", owned, state)
        stop = Stop()  # of this session alone: the next one begins anew
        launch = msgspec.structs.replace(self._launch, stop=stop)
        with contextlib.ExitStack() as around:
            for each in (self._launch.stop.telling(stop.ask), stopped_after(seconds_max, stop), stop.excused()):
                around.enter_context(each)
            stream = around.enter_context(drive.open_stream(launch, opened))
            found: list[list[bytes]] = [[] for _ in self.spec.bindings]
            limits = Limits(seconds_min=math.inf)
            for transaction in transactions(stream, Combiner(self._collectors), time.monotonic, limits):
                self._take(transaction, found)
                if transaction.partial:
                    continue
                state = functools.reduce(apply_state, transaction.states, state)
                yield Committed(tuple(map(tuple, found)), state)
                found = [[] for _ in self.spec.bindings]
        self.cut_off = stop.asked and not self._launch.stop.asked

    def _applied(self, state: object) -> object:
        def ask(state: msgspec.Raw) -> wire.Applied:
            request = wire.Apply(capture=self.spec, version="observed", state=state)
            return drive.ask(self._launch, request, wire.Applied)

        for done in rounds(ask, state):
            state = done.state
        return state

    def _take(self, transaction: Transaction, found: Sequence[list[bytes]]) -> None:
        for binding, combined, texts in zip(self.spec.bindings, transaction.documents, found, strict=True):
            texts.extend(_shown(binding.collection, combined))


def _shown(collection: CollectionSpec, combined: Mapping[str, bytes]) -> Iterator[bytes]:
    for text in in_key_order(combined):
        yield with_uuid_placeholder(text, collection.uuid_ptr)
