"""The transactions of a materialization, from the runtime's end (protocol reference, section 5.3).

While the connector commits a transaction, the keys of the next one are on their way to it. Where documents come from
and what a commit is are the caller's: see `reading.Batch` and `Sink`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from python.protocol import document
from python.protocol.errors import RemoteProtocolError
from python.protocol.flow import ConnectorState
from python.protocol.materialize import (
    Acknowledge,
    Acknowledged,
    Flush,
    Flushed,
    Load,
    Loaded,
    StartCommit,
    StartedCommit,
    Store,
)
from python.protocol.wire import FromConnector
from python.runner.drive import Connection
from python.runner.reading import Batch
from python.runner.stored import LINES, Stored

__all__ = ["Committed", "MaterializeTransactions", "Sink", "checkpoint_of", "materialize", "offsets_in"]


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction: where its sources were read to, what becomes of the connector's state, and how much it was."""

    offsets: Mapping[str, int]
    states: Sequence[ConnectorState] = ()
    read: int = 0
    stored: int = 0


class Sink(Protocol):
    """What the runtime keeps of a materialization."""

    def update(self, state: ConnectorState) -> None:
        """`state` is durable, apart from any transaction."""

    def commit(self, transaction: Committed) -> None:
        """`transaction` is durable, as a whole."""


def materialize(connection: Connection, stored: Sequence[Stored], batches: Iterable[Batch | None], sink: Sink) -> None:
    """Store the documents of `batches`, whose runs are of the binding in `stored` with the number of their source.

    `connection` is open, and is finished at the end: every transaction is acknowledged then. Raises ChildError,
    RemoteProtocolError, ViolationError or ReductionError; what the sink has committed stays.
    """
    session = MaterializeTransactions(connection, stored, sink)
    session.acknowledge()
    for batch in batches:
        if batch is None:
            session.idle()
        else:
            session.transaction(batch)
    session.finish()


def checkpoint_of(offsets: Mapping[str, int]) -> msgspec.Raw:
    """Return the runtime's checkpoint of these offsets, in the shape of Gazette's."""
    sources = {name: {"readThrough": str(offset), "producers": []} for name, offset in offsets.items()}
    return msgspec.Raw(document.encode({"sources": sources}))


def offsets_in(checkpoint: msgspec.Raw) -> dict[str, int]:
    """Return the offsets in a checkpoint that a connector kept. Raises RemoteProtocolError where it is none of ours."""
    try:
        found = msgspec.json.decode(checkpoint, type=_Checkpoint)
        return {name: int(source.read_through) for name, source in found.sources.items()}
    except (msgspec.DecodeError, ValueError) as error:
        raise RemoteProtocolError(f"the endpoint's checkpoint is none of ours: {error}", rule=78) from None


class _Position(msgspec.Struct, rename="camel"):
    read_through: str = "0"


class _Checkpoint(msgspec.Struct):
    sources: dict[str, _Position] = {}


class MaterializeTransactions:
    """One open session, transaction by transaction."""

    def __init__(self, connection: Connection, stored: Sequence[Stored], sink: Sink) -> None:
        self._connection = connection
        self._stored = stored
        self._sink = sink
        self._acknowledged = True

    def acknowledge(self) -> None:
        """The last transaction has committed; the connector's answer may come while the next one loads."""
        self._connection.send(Acknowledge())
        self._acknowledged = False

    def idle(self) -> None:
        """Take what came of itself; waits a moment where nothing did."""
        self._take_all(self._connection.poll())

    def transaction(self, batch: Batch) -> None:
        """Load, store and commit the documents of `batch`."""
        self._load(batch)
        self._settle()
        self._connection.send(Flush())
        self._take_all(self._connection.until(Flushed))
        read = sum(each.taken for each in self._stored)
        stored = self._store()
        self._connection.send(StartCommit(runtime_checkpoint=checkpoint_of(batch.offsets)))
        started = self._connection.receive(StartedCommit)
        states = () if started.state is None else (started.state,)
        self._sink.commit(Committed(offsets=batch.offsets, states=states, read=read, stored=stored))
        self.acknowledge()

    def finish(self) -> None:
        """The last transaction has been acknowledged, and the connector has ended."""
        self._settle()
        self._connection.finish()

    def _load(self, batch: Batch) -> None:
        for run in batch.runs:
            load = Load(binding=run.source)
            for begin in range(0, len(run.rows), LINES):
                lines = self._stored[run.source].combine(run.rows[begin : begin + LINES])
                self._connection.send_lines(load, lines)

    def _settle(self) -> None:
        """Wait for the answer to the last acknowledge."""
        if not self._acknowledged:
            self._take_all(self._connection.until(Acknowledged))

    def _store(self) -> int:
        count = 0
        for index, stored in enumerate(self._stored):
            store = Store(binding=index)
            for lines in stored.stores():
                self._connection.send_lines(store, lines)
                count += len(lines)
        return count

    def _take_all(self, messages: Iterable[FromConnector]) -> None:
        loaded: list[list[bytes]] = [[] for _ in self._stored]
        for message in messages:
            if not isinstance(message, Loaded):
                self._take(message)
                continue
            docs = loaded[message.binding]
            docs.append(bytes(message.doc))  # type: ignore[arg-type] # what was read is raw
            if len(docs) == LINES:
                self._stored[message.binding].loaded(docs)
                docs.clear()
        for stored, docs in zip(self._stored, loaded, strict=True):
            stored.loaded(docs)

    def _take(self, message: FromConnector) -> None:
        if isinstance(message, Acknowledged):
            self._acknowledged = True
            if message.state is not None:
                self._sink.update(message.state)
        elif isinstance(message, Flushed) and message.state is not None:
            self._sink.update(message.state)
