import datetime as dt
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from python.protocol.flow import CollectionSpec
from python.protocol.projection import Projection
from python.runner import catalog_readers, reading
from python.runner.journal import Row, clock_of
from python.runner.problems import CatalogError, Where
from python.runner.reader_tasks import source_of
from python.runner.reading import Batch, Reader, Source, paced

HERE = Where(Path("test.flow.yaml"))


class Memory:
    """Journals in memory, each a list of clocks and documents."""

    def __init__(self, **journals: list[tuple[int, Any]]) -> None:
        self.journals = journals
        self.reads = 0

    def read(self, collection: str, after: int, rows_max: int) -> list[Row]:
        self.reads += 1
        rows = [
            (number, clock, json.dumps(doc).encode())
            for number, (clock, doc) in enumerate(self.journals[collection], start=1)
        ]
        return rows[after : after + rows_max]


def reader(memory: Memory, *sources: Source, offsets: Mapping[str, int] | None = None, now: int = 10**9) -> Reader:
    return Reader(memory, sources, offsets or {}, lambda: True, lambda: now)


def source(collection: str, **members: Any) -> Source:
    return Source(name=collection, collection=collection, **members)


def documents(batches: Iterator[Batch | None]) -> list[Any]:
    return [json.loads(row[2]) for batch in batches if batch for run in batch.runs for row in run.rows]


def test_documents_come_in_the_order_of_their_publishing() -> None:
    memory = Memory(a=[(1, "a1"), (1, "a2"), (5, "a3")], b=[(2, "b1"), (5, "b2"), (9, "b3")])

    assert documents(reader(memory, source("a"), source("b")).batches()) == ["a1", "a2", "b1", "a3", "b2", "b3"]


def test_a_higher_priority_comes_first() -> None:
    memory = Memory(a=[(1, "a1"), (3, "a2")], b=[(2, "b1"), (4, "b2")])

    assert documents(reader(memory, source("a"), source("b", priority=2)).batches()) == ["b1", "b2", "a1", "a2"]


def test_a_read_delay_counts_as_later_publishing() -> None:
    memory = Memory(a=[(1, "a1"), (4, "a2")], b=[(2, "b1"), (6, "b2")])

    assert documents(reader(memory, source("a", delay=3), source("b")).batches()) == ["b1", "a1", "b2", "a2"]


def test_a_delayed_document_is_not_there_yet_while_its_source_goes_on() -> None:
    memory = Memory(a=[(1, "a1"), (4, "a2")])
    ended = iter([False, False, True, True])
    now = iter([3, 6])
    batches = Reader(memory, [source("a", delay=2)], {}, lambda: next(ended), lambda: next(now)).batches()

    assert [documents(iter([batch])) for batch in batches] == [["a1"], ["a2"]]


def test_reading_goes_on_after_the_offsets_and_keeps_those_of_others() -> None:
    memory = Memory(a=[(1, "a1"), (2, "a2"), (3, "a3")])
    (batch,) = reader(memory, source("a"), offsets={"a": 1, "gone": 7}).batches()

    assert batch is not None
    assert documents(iter([batch])) == ["a2", "a3"]
    assert (batch.offsets, batch.documents) == ({"a": 3, "gone": 7}, 2)


def test_nothing_new_is_no_batch_until_the_sources_have_ended() -> None:
    memory = Memory(a=[])
    ended = iter([False, False, True])
    batches = Reader(memory, [source("a")], {}, lambda: next(ended), lambda: 0).batches()
    assert next(batches) is None
    memory.journals["a"].append((1, "late"))

    assert documents(batches) == ["late"]


def test_what_is_written_as_the_sources_end_is_read() -> None:
    memory = Memory(a=[])

    def ended() -> bool:
        memory.journals["a"] = [(1, "last")]
        return True

    assert documents(Reader(memory, [source("a")], {}, ended, lambda: 0).batches()) == ["last"]


def test_publishing_times_and_selectors_pass_over_documents_and_their_offsets() -> None:
    memory = Memory(a=[(1, "early"), (2, "x"), (3, "y"), (4, "late")])
    chosen = source("a", begin=2, end=4, accepts=lambda doc: doc != b'"x"')
    batches = [batch for batch in reader(memory, chosen).batches() if batch]

    assert documents(iter(batches)) == ["y"]
    assert batches[-1].offsets == {"a": 4}


def test_batches_are_bounded_and_go_on_where_the_last_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH_BYTES", 30)
    memory = Memory(a=[(1, f"document {number}") for number in range(7)])
    batches = [batch for batch in reader(memory, source("a")).batches() if batch]

    assert [batch.documents for batch in batches] == [3, 3, 1]
    assert [batch.offsets["a"] for batch in batches] == [3, 6, 7]


def test_long_journals_are_fetched_piece_by_piece() -> None:
    memory = Memory(a=[(number, number) for number in range(500)])

    assert documents(reader(memory, source("a")).batches()) == list(range(500))
    assert memory.reads > 1


def test_partitions_are_selected_by_their_values() -> None:
    place = Projection(field="region", ptr="/where/region", is_partition_key=True)
    collection = CollectionSpec(name="a/c", projections=(place, Projection(field="id", ptr="/id")))
    wanted = catalog_readers.Source(collection="a/c", include={"region": ("eu", 1)}, where=HERE)
    accepts = source_of(wanted, collection, "name").accepts

    assert accepts
    assert [accepts(doc) for doc in (b'{"where":{"region":"eu"}}', b'{"where":{"region":1.0}}', b"{}")] == [1, 1, 0]
    strange = catalog_readers.Source(collection="a/c", exclude={"id": (1,)}, where=HERE)
    with pytest.raises(CatalogError, match="selects by 'id', which is no partition of a/c; its partitions are: region"):
        source_of(strange, collection, "name")


def test_times_and_delays_become_clocks() -> None:
    noon = dt.datetime(2024, 1, 31, 12, tzinfo=dt.timezone.utc)
    wanted = catalog_readers.Source(collection="a/c", not_before=noon, where=HERE)
    found = source_of(wanted, CollectionSpec(name="a/c"), "name", priority=3, delay_seconds=60)

    assert (found.begin, found.end, found.priority) == (clock_of(noon), None, 3)
    assert found.begin + found.delay == clock_of(noon + dt.timedelta(minutes=1))


class Moving:
    """A clock that moves by a second whenever nothing was to be read."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def read(self) -> float:
        return self.seconds

    def until_read(self, batches: Iterator[Batch | None]) -> list[Any]:
        while (batch := next(batches)) is None:
            self.seconds += 1
        return documents(iter([batch]))


def test_documents_wait_for_more_until_a_transaction_is_long_enough() -> None:
    memory, clock = Memory(a=[(1, "a1")]), Moving()
    following = Reader(memory, [source("a")], {}, lambda: False, lambda: 10**9)
    batches = paced(following, 3.0, clock.read)
    assert next(batches) is None
    memory.journals["a"].append((2, "a2"))

    assert (clock.until_read(batches), clock.seconds) == (["a1", "a2"], 3)
    assert next(batches) is None
    memory.journals["a"].append((3, "a3"))
    assert (clock.until_read(batches), clock.seconds) == (["a3"], 6)


def test_what_fills_a_batch_does_not_wait_after_the_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH_BYTES", 8)
    memory, clock = Memory(a=[(1, "a1"), (1, "a2"), (1, "a3"), (1, "a4"), (1, "a5")]), Moving()
    following = Reader(memory, [source("a")], {}, lambda: False, lambda: 10**9)
    batches = paced(following, 3.0, clock.read)

    assert [clock.until_read(batches) for _ in range(3)] == [["a1", "a2"], ["a3", "a4"], ["a5"]]
    assert clock.seconds == 3


def test_what_has_ended_does_not_wait_for_more() -> None:
    memory, clock = Memory(a=[(1, "a1"), (2, "a2")]), Moving()

    assert documents(paced(reader(memory, source("a")), 3.0, clock.read)) == ["a1", "a2"]
    assert clock.seconds == 0
