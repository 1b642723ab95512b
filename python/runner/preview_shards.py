"""A derivation or a materialization of a preview: how it is built, and how one of its shards takes transactions."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from python.protocol import materialize as wire
from python.protocol.flow import FULL_RANGE, CollectionSpec, ConnectorState, RangeSpec
from python.protocol.patch import apply_state
from python.runner import drive, materialize_tasks
from python.runner.applying import Round, rounds
from python.runner.catalog import Catalog
from python.runner.catalog_readers import DerivationTask, MaterializationTask
from python.runner.combiner import Combined, Combiner
from python.runner.deriving import DeriveTransactions
from python.runner.fixtures_derivation import GENERATION, BuiltDerivation
from python.runner.fixtures_feed import merged
from python.runner.journal import source_name
from python.runner.materialize_build import Before, Building
from python.runner.materializing import Committed, MaterializeTransactions
from python.runner.preview_lines import change_line, document_lines
from python.runner.reader_tasks import collections_read, source_of
from python.runner.reading import Batch, Source
from python.runner.stored import Stored

__all__ = ["Derivation", "Materialization", "Reading", "Shard", "Transactions"]

_VERSION = "preview"


class Transactions(Protocol):
    """An open session of a shard."""

    def transaction(self, batch: Batch) -> None:
        """The documents of `batch` are read, and what they give has committed."""

    def finish(self) -> None:
        """The connector has ended."""


class Shard:
    """What a shard has committed: its `state`, and how many documents. The sink of its transactions."""

    def __init__(self, state: object) -> None:
        self.state = state
        self.stored = 0
        self._documents: list[Combined] = []
        self._changes: list[str] = []

    def documents(self) -> list[Combined]:
        """Return the documents that were committed since the last call, in parts."""
        taken, self._documents = self._documents, []
        return taken

    def changes(self) -> list[str]:
        """Return a line for each change of the state since the last call."""
        taken, self._changes = self._changes, []
        return taken

    def stage(self, documents: Combined) -> None:
        """`documents` are part of the transaction."""
        self._documents.append(documents)

    def update(self, state: ConnectorState) -> None:
        """The state has changed, apart from any transaction."""
        self._change([state])

    def commit(self, transaction: Committed, documents: Combined | None = None) -> None:
        """The transaction has committed."""
        if documents:
            self._documents.append(documents)
        self.stored += transaction.stored
        self._change(transaction.states)

    def _change(self, states: Sequence[ConnectorState]) -> None:
        before, self.state = self.state, functools.reduce(apply_state, states, self.state)
        self._changes.append(change_line(states, before, self.state) if states else '["connectorState",{}]')


class Reading(ABC):
    """A task that reads `collections`, by way of `sources`. `notes` are for the user."""

    collections: Mapping[str, CollectionSpec]
    sources: Sequence[Source]
    notes: Sequence[str] = ()

    def applied(self, state: object) -> Iterator[Round]:
        """Yield each `apply`, from `state` on."""
        del state
        return iter(())

    @abstractmethod
    def opened(self, connection: drive.Connection, owned: RangeSpec, shard: Shard) -> Transactions:
        """Open a session for the keys `owned`, from the state of `shard`, which gets what it commits."""

    def lines(self, parts: Sequence[Combined]) -> Iterator[str]:
        """Yield the lines for documents that all shards have committed in a transaction."""
        del parts
        return iter(())


class Derivation(Reading):
    """A derivation, validated. Raises what is wrong with it."""

    def __init__(self, task: DerivationTask, catalog: Catalog, launch: drive.Launch) -> None:
        self._built = BuiltDerivation(task, catalog, launch)
        self.collections = self._built.collections
        self.sources = self._built.sources()

    def opened(self, connection: drive.Connection, owned: RangeSpec, shard: Shard) -> Transactions:
        """Open a session."""
        self._built.open(connection, _VERSION, owned, shard.state)
        combiner = Combiner([self._built.collector])
        return DeriveTransactions(connection, self._built.shuffled(owned), combiner, shard)

    def lines(self, parts: Sequence[Combined]) -> Iterator[str]:
        """Yield the derived documents, combined by key."""
        return document_lines(self._built.spec, merged(parts, self._built.collector))


class Materialization(Reading):
    """A materialization, validated, with its fields selected. Raises what is wrong with it."""

    def __init__(self, task: MaterializationTask, catalog: Catalog, launch: drive.Launch) -> None:
        wanted = [binding.source for binding in materialize_tasks.enabled(task)]
        self.collections = collections_read(wanted, catalog)
        self._launch = launch
        building = Building(task, self.collections, Before())
        built = building.build(lambda asked: drive.ask(launch, asked, wire.Validated))
        self.notes = built.notes
        self._spec = built.spec
        self.sources = [
            source_of(
                binding.source,
                self.collections[binding.source.collection],
                source_name(binding.source.collection, GENERATION, one.journal_read_suffix),
                priority=binding.priority,
            )
            for binding, one in zip(built.bindings, built.spec.bindings, strict=True)
        ]

    def applied(self, state: object) -> Iterator[Round]:
        """Apply to the endpoint of the config."""
        request = functools.partial(wire.Apply, materialization=self._spec, version=_VERSION)
        return rounds(lambda state: drive.ask(self._launch, request(state=state), wire.Applied), state)

    def opened(self, connection: drive.Connection, owned: RangeSpec, shard: Shard) -> Transactions:
        """Open a session. A checkpoint that the endpoint kept says nothing here: a fixture is read once."""
        connection.send(materialize_tasks.open_request(self._spec, _VERSION, owned, shard.state))
        connection.receive(wire.Opened)
        share = None if owned == FULL_RANGE else owned
        stored = [Stored(index, binding, share) for index, binding in enumerate(self._spec.bindings)]
        session = MaterializeTransactions(connection, stored, shard)
        session.acknowledge()
        return session
