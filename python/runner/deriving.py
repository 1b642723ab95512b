"""The transactions of a derivation, from the runtime's end (protocol reference, section 4.3).

Where documents come from and what a commit is are the caller's: see `reading.Batch` and `Sink`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from python.protocol.derive import Flush, Flushed, Published, Read, Reset, StartCommit, StartedCommit
from python.protocol.flow import ConnectorState, RangeSpec, Transform
from python.protocol.state_key import key_hash
from python.protocol.wire import FromConnector
from python.runner.combiner import Combined, Combiner
from python.runner.drive import Connection
from python.runner.extraction import Extractor
from python.runner.journal import Row
from python.runner.materializing import Committed, checkpoint_of
from python.runner.reading import Batch, Run
from python.runner.stored import reading_collector

__all__ = ["COMBINED_BYTES", "DeriveTransactions", "Shuffled", "Sink", "derive"]

COMBINED_BYTES = 8 * 1024 * 1024
"""What a transaction publishes is kept in memory up to this size; what is more waits with the sink."""

_NODE = b"1099511627776"  # of the producer in documents' UUIDs: a multicast address, as one that is no machine's
_LINES = 1_000  # sent at once: the connector works on them while the next are made


class Sink(Protocol):
    """What the runtime keeps of a derivation."""

    def stage(self, documents: Combined) -> None:
        """`documents` wait for the transaction that is going on."""

    def commit(self, transaction: Committed, documents: Combined) -> None:
        """`transaction` is durable, as a whole, with its documents and those staged before."""


class Shuffled:
    """A transform, compiled: its documents as lines of the protocol. `owned` is None where there is one shard."""

    def __init__(self, index: int, transform: Transform, owned: RangeSpec | None = None) -> None:
        """Compile `transform`, the one with that index. Raises SchemaError for a read schema that is none."""
        assert transform.collection is not None, "a built transform has its collection"  # noqa: S101 -- our own code's
        self._begin = b'{"read":{"transform":%d,"uuid":{"node":"%b","clock":"' % (index, _NODE)
        self._key = Extractor([(ptr, b"null") for ptr in transform.shuffle_key]).key if transform.shuffle_key else None
        self._owned = owned
        self._checked = reading_collector(transform.collection) if transform.collection.read_schema else None

    def lines(self, rows: Iterable[Row]) -> list[bytes]:
        """Return the reads of those documents that are this shard's. Raises ViolationError for an invalid one."""
        lines: list[bytes] = []
        for number, clock, doc in rows:
            key = b"[%d]" % number if self._key is None else self._key(doc)  # where any shard will do, take turns
            place = key_hash(key.decode())
            if self._owned is not None and not self._owned.owns(place):
                continue
            if self._checked is not None:
                self._checked.key(doc)
            shown = b"[]" if self._key is None else key
            line = b'%b%d"},"shuffle":{"key":%b,"hash":%d},"doc":%b}}\n' % (self._begin, clock, shown, place, doc)
            lines.append(line)
        return lines


def derive(
    connection: Connection,
    transforms: Sequence[Shuffled],
    combiner: Combiner,
    batches: Iterable[Batch | None],
    sink: Sink,
) -> None:
    """Derive documents of `batches`, whose runs are of the transform with the number of their source.

    `connection` is open, and is finished at the end; `combiner` has the derived collection alone. Raises ChildError,
    RemoteProtocolError, ViolationError or ReductionError; what the sink has committed stays.
    """
    session = DeriveTransactions(connection, transforms, combiner, sink)
    for batch in batches:
        if batch is None:
            session.idle()
        else:
            session.transaction(batch)
    session.finish()


class DeriveTransactions:
    """One open session, transaction by transaction."""

    def __init__(self, connection: Connection, transforms: Sequence[Shuffled], combiner: Combiner, sink: Sink) -> None:
        self._connection = connection
        self._transforms = transforms
        self._combiner = combiner
        self._sink = sink
        self._states: list[ConnectorState] = []
        self._published = 0

    def idle(self) -> None:
        """Take what came of itself; waits a moment where nothing did."""
        for message in self._connection.poll():
            self._take(message)

    def transaction(self, batch: Batch) -> None:
        """Read the documents of `batch`, and commit what they give."""
        read = sum(self._read(run) for run in batch.runs)
        self._connection.send(Flush())
        for message in self._connection.until(Flushed):
            self._take(message)
        self._connection.send(StartCommit(runtime_checkpoint=checkpoint_of(batch.offsets)))
        for message in self._connection.until(StartedCommit):
            self._take(message)
        self._combiner.checkpoint()
        states, self._states = self._states, []
        published, self._published = self._published, 0
        done = Committed(offsets=batch.offsets, states=states, read=read, stored=published)
        self._sink.commit(done, self._combiner.take()[0])

    def reset(self) -> None:
        """The connector's state is that of a new derivation. Call between transactions."""
        self._connection.send(Reset())

    def finish(self) -> None:
        """The connector has ended."""
        self._connection.finish()

    def _read(self, run: Run) -> int:
        read, count = Read(transform=run.source), 0
        for begin in range(0, len(run.rows), _LINES):
            lines = self._transforms[run.source].lines(run.rows[begin : begin + _LINES])
            self._connection.send_lines(read, lines)
            count += len(lines)
        return count

    def _take(self, message: FromConnector) -> None:
        if isinstance(message, Published):
            self._combiner.add(0, message.doc)  # type: ignore[arg-type] # what was read is raw
            self._published += 1
            if self._combiner.bytes_used >= COMBINED_BYTES:
                self._sink.stage(self._combiner.take_current()[0])
        elif isinstance(message, (Flushed, StartedCommit)) and message.state is not None:
            self._states.append(message.state)
