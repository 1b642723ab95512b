"""The derivations that the tests of a specification need: each a process, which lives through all tests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from python.protocol.errors import HeadwaterError
from python.protocol.flow import FULL_RANGE
from python.runner import derive_tasks, drive
from python.runner.catalog import Catalog
from python.runner.catalog_readers import DerivationTask
from python.runner.combiner import Combined, Combiner, in_key_order
from python.runner.deriving import DeriveTransactions
from python.runner.fixtures_derivation import BuiltDerivation
from python.runner.fixtures_feed import Journals, batch_of, merged
from python.runner.materializing import Committed
from python.runner.reading import Reader

__all__ = ["ROUNDS_MAX", "Derivations", "Running", "downstream"]

ROUNDS_MAX = 1_000
"""Derivations that read one another, and still have something to read after this many rounds, never settle."""


def downstream(catalog: Catalog, collections: Iterable[str]) -> list[DerivationTask]:
    """Return the derivations that read any of `collections`, be it by way of others, in the order of the catalog."""
    known = set(collections)
    tasks = [found.derive for found in catalog.collections.values() if found.derive is not None]
    grown = True
    while grown:
        reached = {task.name for task in tasks if known & _reads(task)}
        grown = not reached <= known
        known |= reached
    return [task for task in tasks if known & _reads(task)]


def _reads(task: DerivationTask) -> set[str]:
    return {transform.source.collection for transform in derive_tasks.enabled(task)}


class Derivations:
    """Derivations that were validated, and run while `running` lasts."""

    def __init__(
        self, catalog: Catalog, tasks: Sequence[DerivationTask], launched: Callable[[DerivationTask], drive.Launch]
    ) -> None:
        """Validate them. Raises what is wrong with one, its collections, or its connector."""
        self._reads = {task.name: _reads(task) for task in tasks}
        self._built = [(BuiltDerivation(task, catalog, launched(task)), launched(task)) for task in tasks]

    @contextlib.contextmanager
    def running(self) -> Iterator[Running]:
        """The connectors run; those that still do after the `with` are gone then."""
        with contextlib.ExitStack() as stack:
            live = []
            for built, launch in self._built:
                connection = stack.enter_context(drive.connected(launch))
                built.open(connection, "test", FULL_RANGE, {})
                live.append(_Live(built, connection))
            yield Running(live, self._reads)


class Running:
    """Derivations that run, on the documents of one test after the other: `begin` each."""

    def __init__(self, live: Sequence[_Live], reads: dict[str, set[str]]) -> None:
        self._live = live
        self._reads = reads

    def begin(self, journals: Journals) -> None:
        """From here on, `journals` are read and written, from states that are new."""
        self._journals = journals
        for live in self._live:
            live.begin(journals)

    def settle(self) -> None:
        """All was derived that can be, but for what read delays hold back. Raises what went wrong."""
        for _ in range(ROUNDS_MAX):
            stepped = [live.step() for live in self._live]  # each in turn
            if not any(stepped):
                return
        names = ", ".join(live.name for live in self._live)
        raise HeadwaterError(f"{names}: still not settled after {ROUNDS_MAX} rounds; do they read one another?")

    def settle_for(self, collection: str) -> None:
        """All was derived that `collection` depends on: the time has come of what read delays held back."""
        needed = self._upstream(collection)
        waiting = [live for live in self._live if live.name in needed]
        while (
            due := min((moment for live in waiting if (moment := live.due()) is not None), default=None)
        ) is not None:
            self._journals.clock = max(due, self._journals.clock)
            self.settle()

    def finish(self) -> None:
        """Every connector has ended well. Raises where one did not."""
        for live in self._live:
            live.finish()

    def _upstream(self, collection: str) -> set[str]:
        """Return the derivations that `collection` depends on, among them its own."""
        found: set[str] = set()
        waiting = [collection]
        while waiting:
            name = waiting.pop()
            if name in self._reads and name not in found:
                found.add(name)
                waiting.extend(self._reads[name])
        return found


class _Live:
    """A derivation's process, and what it has read of a test's documents; the sink of its transactions."""

    def __init__(self, built: BuiltDerivation, connection: drive.Connection) -> None:
        self.name = built.name
        self._built = built
        self._staged: list[Combined] = []
        self._transactions = DeriveTransactions(connection, built.shuffled(), Combiner([built.collector]), self)
        self.finish = self._transactions.finish
        self._is_new = True

    def begin(self, journals: Journals) -> None:
        """Read `journals` from here on, from a new state."""
        if not self._is_new:
            self._transactions.reset()
        self._is_new = False
        self._journals = journals
        self._reader = Reader(journals, self._built.sources(), {}, lambda: False, lambda: journals.clock)
        self.due = self._reader.due

    def step(self) -> bool:
        """Derive from what there is to read now, in one transaction; return whether there was anything."""
        batch = batch_of(self._reader)
        if batch is not None:
            self._transactions.transaction(batch)
        return batch is not None

    def stage(self, documents: Combined) -> None:
        """`documents` wait for their transaction."""
        self._staged.append(documents)

    def commit(self, transaction: Committed, documents: Combined) -> None:
        """The documents are in the collection. The connector keeps its own state."""
        del transaction
        staged, self._staged = self._staged, []
        whole = merged([*staged, documents], self._built.collector)
        if whole:
            self._journals.add(self.name, in_key_order(whole))
