"""Collections in memory are read as those of a store are."""

from __future__ import annotations

from python.protocol import document
from python.protocol.flow import CollectionSpec
from python.runner.collector import Collector
from python.runner.fixtures_feed import Journals, batch_of, merged
from python.runner.reading import Reader, Source

A, B = Source(name="a", collection="a"), Source(name="b", collection="b")


def docs(reader: Reader) -> list[tuple[int, bytes]]:
    batch = batch_of(reader)
    return [(run.source, row[2]) for run in batch.runs for row in run.rows] if batch else []


def test_what_was_added_is_read_in_its_order_across_collections() -> None:
    journals = Journals(5)
    for name, doc in (("a", b"1"), ("b", b"2"), ("a", b"3")):
        journals.add(name, [doc])
    reader = Reader(journals, [A, B], {}, lambda: False, lambda: journals.clock)

    assert docs(reader) == [(0, b"1"), (1, b"2"), (0, b"3")]
    assert docs(reader) == []
    assert journals.clock == 8


def test_what_was_read_may_be_forgotten_and_the_numbers_go_on() -> None:
    journals = Journals(0)
    journals.add("a", [b"1", b"2"])
    reader = Reader(journals, [A], {}, lambda: True, lambda: 0)
    docs(reader)
    journals.forget()
    journals.add("a", [b"3"])

    assert journals.read("a", 2, 9) == [(3, 2, b"3")]
    assert docs(reader) == [(0, b"3")]


def test_what_a_delay_holds_back_is_due_later() -> None:
    journals = Journals(0)
    journals.add("a", [b"1"])
    late = Source(name="a", collection="a", delay=100)
    reader = Reader(journals, [late], {}, lambda: False, lambda: journals.clock)

    assert docs(reader) == []
    assert reader.due() == 101
    journals.clock = 101
    assert docs(reader) == [(0, b"1")]
    assert reader.due() is None


def test_parts_of_a_transaction_are_combined_by_key() -> None:
    schema = {"type": "object", "reduce": {"strategy": "merge"}, "properties": {"n": {"reduce": {"strategy": "sum"}}}}
    collector = Collector(CollectionSpec(name="a/b", key=("/id",), write_schema=document.encode(schema)))  # type: ignore[arg-type] # bytes do
    parts = [{"1": b'{"id":1,"n":1}'}, {"1": b'{"id":1,"n":2}', "2": b'{"id":2}'}]

    found = {key: document.decode(doc) for key, doc in merged(parts, collector).items()}
    assert found == {"1": {"id": 1, "n": 3}, "2": {"id": 2}}
