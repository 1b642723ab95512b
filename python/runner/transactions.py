"""From a connector's answers to transactions: what commits together, and when (protocol reference, section 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from python.protocol.capture import BackfillBegin, BackfillComplete, Captured, Checkpoint, SourcedSchema
from python.protocol.errors import ConnectorError, HeadwaterError, RemoteProtocolError
from python.protocol.flow import ConnectorState
from python.protocol.wire import FromConnector
from python.runner.combiner import Combined, Combiner
from python.runner.drive import Stream
from python.runner.endpoints import Shards
from python.runner.sourced import check_sourced

__all__ = ["BYTES_MAX", "SECONDS_MIN", "Limits", "Transaction", "limits_of", "shortest", "transactions"]

BYTES_MAX = 8 * 1024 * 1024
"""The documents of one transaction, as text: large enough that a commit is cheap per document, and small enough that
memory does not notice it. A single checkpoint sequence that is larger is staged on disk."""

SECONDS_MIN = 1.0
"""How long a transaction stays open for more checkpoints, in seconds: Flow's default for captures."""


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """What commits together: documents by binding and key, changes of the connector's state, and how many checkpoints.

    A `partial` one must be kept aside, uncommitted, for the next one that is not: it is the beginning of a checkpoint
    sequence too large for memory.
    """

    documents: list[Combined]
    states: tuple[ConnectorState, ...] = ()
    checkpoints: int = 0
    captured: int = 0
    partial: bool = False


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """When a transaction ends: `seconds_min` after it began, or with `bytes_max` of documents."""

    seconds_min: float = SECONDS_MIN
    bytes_max: int = BYTES_MAX


def limits_of(shards: Shards) -> Limits:
    """Return when transactions of a task end whose specification says `shards`."""
    return Limits(seconds_min=shortest(shards, SECONDS_MIN))


def shortest(shards: Shards, default: float) -> float:
    """Return how long a transaction stays open for more, in seconds: no longer than the longest one may."""
    seconds = default if shards.min_txn_seconds is None else shards.min_txn_seconds
    return seconds if shards.max_txn_seconds is None else min(seconds, shards.max_txn_seconds)


class _Pending:
    """The transaction that is open."""

    def __init__(self, combiner: Combiner, now: Callable[[], float]) -> None:
        self._combiner = combiner
        self._now = now
        self.began: float | None = None
        self.states: list[ConnectorState] = []
        self.checkpoints = 0
        self.captured = 0
        self._waiting = 0

    @property
    def bytes_used(self) -> int:
        """What the documents take in memory."""
        return self._combiner.bytes_used

    def take(self, message: FromConnector) -> None:
        """Account for one answer of the connector."""
        if self.began is None:
            self.began = self._now()
        if isinstance(message, Captured):
            self._combiner.add(message.binding, message.doc)  # type: ignore[arg-type] # what was read is raw
            self._waiting += 1
        elif isinstance(message, Checkpoint):
            self._combiner.checkpoint()
            self.checkpoints += 1
            self.captured += self._waiting
            self._waiting = 0
            if message.state is not None:
                self.states.append(message.state)
        elif isinstance(message, SourcedSchema):
            check_sourced(message)
        elif not isinstance(message, (BackfillBegin, BackfillComplete)):
            raise RemoteProtocolError(f"{type(message).__name__} came while capturing", rule=49)

    def end(self) -> Transaction:
        """Return what is complete, as a transaction of its own, and begin the next."""
        done = Transaction(
            documents=self._combiner.take(),
            states=tuple(self.states),
            checkpoints=self.checkpoints,
            captured=self.captured,
        )
        self.began = self._now() if self._waiting else None
        self.states, self.checkpoints, self.captured = [], 0, 0
        return done

    def spill(self) -> Transaction:
        """Return what an unfinished sequence has so far."""
        return Transaction(documents=self._combiner.take_current(), partial=True)


def transactions(stream: Stream, combiner: Combiner, now: Callable[[], float], limits: Limits) -> Iterator[Transaction]:
    """Yield each transaction of `stream`; taking the next one says that the last is durable, and acknowledges it.

    Where the connector fails or breaks the protocol, what was complete before is still yielded, and then the error
    is raised; nothing of the unfinished sequence is.
    """
    pending = _Pending(combiner, now)
    try:
        for batch in stream.batches():
            yield from _within(stream, pending, batch, limits.bytes_max)
            due = pending.began is not None and now() - pending.began >= limits.seconds_min
            if due and pending.checkpoints:
                yield from _ended(stream, pending)
    except (HeadwaterError, ConnectorError):
        if pending.checkpoints:
            yield from _ended(stream, pending)
        raise
    if pending.checkpoints:
        yield from _ended(stream, pending)


def _within(stream: Stream, pending: _Pending, batch: list[FromConnector], bytes_max: int) -> Iterator[Transaction]:
    """Take a batch, and make room whenever it is too much: end what is complete, or else put aside what is not."""
    for message in batch:
        pending.take(message)
        if pending.bytes_used < bytes_max:
            continue
        if pending.checkpoints:
            yield from _ended(stream, pending)
        else:
            yield pending.spill()


def _ended(stream: Stream, pending: _Pending) -> Iterator[Transaction]:
    done = pending.end()
    yield done
    stream.acknowledge(done.checkpoints)
