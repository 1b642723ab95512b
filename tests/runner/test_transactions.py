from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from python.protocol.capture import BackfillBegin, Captured, Checkpoint, Opened, SourcedSchema
from python.protocol.errors import ConnectorError, RemoteProtocolError
from python.protocol.flow import CollectionSpec
from python.protocol.patch import merge_patch
from python.runner.combiner import Collector, Combiner
from python.runner.endpoints import Shards
from python.runner.transactions import SECONDS_MIN, Limits, Transaction, limits_of, transactions

FAILURE = ConnectorError("no luck")


class FakeStream:
    """Gives `batches`, one a second; an exception among them is raised."""

    def __init__(self, *batches: Any) -> None:
        self._batches = batches
        self.seconds = 0.0
        self.acknowledged: list[int] = []

    def batches(self) -> Iterator[Any]:
        for batch in self._batches:
            if isinstance(batch, Exception):
                raise batch
            yield batch
            self.seconds += 1

    def acknowledge(self, checkpoints: int) -> None:
        self.acknowledged.append(checkpoints)


def document(number: int, size: int = 0) -> Captured:
    return Captured(doc=msgspec.Raw(b'{"id":%d,"x":"%s"}' % (number, b"x" * size)))


def checkpoint(n: int) -> Checkpoint:
    return Checkpoint(state=merge_patch({"n": n}))


def running(stream: FakeStream, seconds_min: float = 0.0, bytes_max: int = 1_000_000) -> Iterator[Transaction]:
    spec = CollectionSpec(name="acmeCo/x", write_schema=msgspec.Raw(b"{}"), key=("/id",))
    limits = Limits(seconds_min=seconds_min, bytes_max=bytes_max)
    return transactions(stream, Combiner([Collector(spec)]), lambda: stream.seconds, limits)  # type: ignore[arg-type] # a fake


def told(found: Transaction) -> tuple[int, list[bytes], int, int, bool]:
    states = [bytes(state.updated) for state in found.states]
    return sum(map(len, found.documents)), states, found.checkpoints, found.captured, found.partial


def test_sequences_that_are_complete_commit_together() -> None:
    stream = FakeStream([document(1), checkpoint(1), document(1), document(2), checkpoint(2)])

    assert list(map(told, running(stream))) == [(2, [b'{"n":1}', b'{"n":2}'], 2, 3, False)]


def test_a_transaction_stays_open_for_its_shortest_duration() -> None:
    stream = FakeStream(*([document(n), checkpoint(n)] for n in range(6)))

    assert [found.checkpoints for found in running(stream, seconds_min=2.0)] == [3, 3]


def test_a_quiet_connector_does_not_keep_a_transaction_open() -> None:
    stream = FakeStream([document(1), checkpoint(1)], [], [], [document(2), checkpoint(2)])
    going = running(stream, seconds_min=2.0)
    next(going)

    assert stream.seconds == 2.0


def test_what_has_no_checkpoint_waits_for_it() -> None:
    stream = FakeStream([document(1), checkpoint(1), document(2)], [document(3), checkpoint(2)])

    assert list(map(told, running(stream))) == [(1, [b'{"n":1}'], 1, 1, False), (2, [b'{"n":2}'], 1, 2, False)]


def test_a_commit_is_acknowledged_when_the_next_one_is_asked_for() -> None:
    stream = FakeStream([document(1), checkpoint(1), checkpoint(2)], [document(2), checkpoint(3)])
    going = running(stream)
    next(going)

    assert stream.acknowledged == []
    next(going)
    assert stream.acknowledged == [2]
    assert next(going, None) is None
    assert stream.acknowledged == [2, 1]


def test_complete_sequences_end_with_the_memory_they_may_take() -> None:
    batch = [message for n in range(4) for message in (document(n, 400), checkpoint(n))]

    assert [found.checkpoints for found in running(FakeStream(batch), seconds_min=60, bytes_max=1_500)] == [2, 2]


def test_a_sequence_too_large_for_memory_comes_in_parts() -> None:
    batch = [*(document(n, 400) for n in range(5)), checkpoint(1)]
    found = list(map(told, running(FakeStream(batch), seconds_min=60, bytes_max=1_000)))

    assert found == [(2, [], 0, 0, True), (2, [], 0, 0, True), (1, [b'{"n":1}'], 1, 5, False)]


@pytest.mark.parametrize("error", [FAILURE, RemoteProtocolError("half a line", rule=3)])
def test_where_the_connector_fails_what_was_complete_is_given_first(error: Exception) -> None:
    stream = FakeStream([document(1), checkpoint(1), document(2)], error)
    going = running(stream, seconds_min=60)

    assert told(next(going)) == (1, [b'{"n":1}'], 1, 1, False)
    with pytest.raises(type(error)):
        next(going)
    assert stream.acknowledged == [1]


def test_a_document_that_is_refused_keeps_its_sequence_out() -> None:
    stream = FakeStream([document(1), checkpoint(1), document(2), Captured(doc=msgspec.Raw(b"{}")), checkpoint(2)])
    going = running(stream, seconds_min=60)

    assert told(next(going)) == (1, [b'{"n":1}'], 1, 1, False)
    with pytest.raises(RemoteProtocolError, match="rule 51"):
        next(going)


def test_a_checkpoint_needs_neither_documents_nor_state() -> None:
    assert list(map(told, running(FakeStream([Checkpoint()])))) == [(0, [], 1, 0, False)]


def test_without_a_checkpoint_nothing_commits() -> None:
    assert list(running(FakeStream([document(1)], []))) == []


def test_backfill_markers_are_let_pass() -> None:
    assert [found.checkpoints for found in running(FakeStream([BackfillBegin(), checkpoint(1)]))] == [1]


def test_an_open_sourced_schema_ends_the_capture() -> None:
    with pytest.raises(RemoteProtocolError, match="rule 64"):
        list(running(FakeStream([SourcedSchema(document_schema=msgspec.Raw(b'{"type":"object"}'))])))


def test_what_no_capture_says_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match=r"Opened came while capturing.*rule 49"):
        list(running(FakeStream([Opened()])))


@pytest.mark.parametrize(
    ("shards", "seconds"),
    [
        (Shards(), SECONDS_MIN),
        (Shards(min_txn_seconds=0.0), 0.0),
        (Shards(min_txn_seconds=60.0), 60.0),
        (Shards(max_txn_seconds=0.5), 0.5),
        (Shards(max_txn_seconds=60.0), SECONDS_MIN),
        (Shards(min_txn_seconds=60.0, max_txn_seconds=5.0), 5.0),
    ],
)
def test_a_transaction_ends_when_the_specification_says_and_never_after_its_longest(
    shards: Shards, seconds: float
) -> None:
    assert limits_of(shards) == Limits(seconds_min=seconds)
