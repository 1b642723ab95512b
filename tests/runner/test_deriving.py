import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from python import derive as base
from python.protocol.derive import Open, Opened, Read
from python.protocol.flow import CollectionSpec, Derivation, RangeSpec, Transform
from python.protocol.patch import apply_state
from python.runner import deriving
from python.runner.collector import Collector, ViolationError
from python.runner.combiner import Combined, Combiner
from python.runner.deriving import Shuffled, derive
from python.runner.journal import Row
from python.runner.materializing import Committed
from python.runner.reading import Batch, Run
from tests.runner.in_memory import connected

SUMS = {
    "type": "object",
    "reduce": {"strategy": "merge"},
    "properties": {"id": {"type": "string"}, "n": {"type": "integer", "reduce": {"strategy": "sum"}}},
    "required": ["id"],
}
SOURCE = CollectionSpec(name="a/numbers", key=("/n",))
DERIVED = CollectionSpec(name="a/sums", key=("/id",), write_schema=msgspec.Raw(json.dumps(SUMS).encode()))


class Sums(base.Connector[dict[str, Any], dict[str, Any], dict[str, Any]]):
    config_schema: Any = {}
    resource_config_schema: Any = {}

    @base.transform("numbers")
    def numbers(self, doc: dict[str, Any]) -> Iterator[dict[str, Any]]:
        self.state["read"] = self.state.get("read", 0) + 1
        yield {"id": doc.get("id", "all"), "n": doc["n"]}


class NewerSums(Sums):
    state_in_flushed = True


class Kept:
    """What a store would keep."""

    def __init__(self) -> None:
        self.transactions: list[Committed] = []
        self.committed: list[Combined] = []
        self.staged: list[Combined] = []
        self.state: object = {}

    def stage(self, documents: Combined) -> None:
        self.staged.append(documents)

    def commit(self, transaction: Committed, documents: Combined) -> None:
        self.transactions.append(transaction)
        self.committed.append(documents)
        for state in transaction.states:
            self.state = apply_state(self.state, state)

    def documents(self) -> list[Any]:
        return [json.loads(text) for combined in self.committed for text in combined.values()]


def batch(*docs: Any, read_to: int = 1) -> Batch:
    rows: list[Row] = [(number, 16, json.dumps(doc).encode()) for number, doc in enumerate(docs, start=1)]
    return Batch(runs=[Run(0, rows)], offsets={"a/numbers/0;t": read_to})


def derived(
    *batches: Batch | None, connector: Any = None, owned: RangeSpec | None = None, key: tuple[str, ...] = ("/n",)
) -> tuple[Kept, list[Any]]:
    transform = Transform(name="numbers", collection=SOURCE, shuffle_key=key)
    connection, child = connected(connector or Sums())
    spec = msgspec.structs.replace(DERIVED, derivation=Derivation(transforms=(transform,)))
    connection.send(Open(collection=spec, state=msgspec.Raw(b"{}")))
    connection.receive(Opened)
    kept = Kept()
    derive(connection, [Shuffled(0, transform, owned)], Combiner([Collector(DERIVED)]), batches, kept)
    return kept, child.requests


@pytest.mark.parametrize("connector", [Sums, NewerSums])
def test_documents_state_and_offsets_commit_together(connector: type[Sums]) -> None:
    first, second = batch({"n": 1}, {"n": 2}, read_to=2), batch({"n": 5}, read_to=3)
    kept, _ = derived(first, None, second, connector=connector())

    assert kept.documents() == [{"id": "all", "n": 3}, {"id": "all", "n": 5}]
    assert [(done.offsets["a/numbers/0;t"], done.read, done.stored) for done in kept.transactions] == [
        (2, 2, 2),
        (3, 1, 1),
    ]
    assert kept.state == {"read": 3}


def test_a_read_tells_where_it_was_shuffled_to_and_when_it_was_published() -> None:
    _, requests = derived(batch({"n": 1.0}))
    (read,) = [each for each in requests if isinstance(each, Read)]

    assert read.shuffle is not None
    assert read.uuid is not None
    assert (bytes(read.shuffle.key), read.transform, read.uuid.clock) == (b"[1]", 0, 16)
    assert 0 <= read.shuffle.hash < 2**32


@pytest.mark.parametrize("key", [("/n",), ()])
def test_a_shard_reads_its_share_and_all_shards_read_all(key: tuple[str, ...]) -> None:
    halves = [RangeSpec(key_end=2**31 - 1), RangeSpec(key_begin=2**31, key_end=2**32 - 1)]
    numbers = [{"n": n} for n in range(40)]
    asked = [derived(batch(*numbers), owned=half, key=key)[1] for half in halves]
    shares = [[json.loads(bytes(read.doc))["n"] for read in each if isinstance(read, Read)] for each in asked]

    assert sorted(shares[0] + shares[1]) == list(range(40))
    assert all(shares)


def test_what_is_too_much_for_memory_waits_with_the_sink(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deriving, "COMBINED_BYTES", 1_000)
    kept, _ = derived(batch(*({"n": 1, "id": str(n)} for n in range(10))))

    assert sum(map(len, [*kept.staged, *kept.committed])) == 10
    assert len(kept.staged) > 1


def test_a_document_against_the_schema_commits_nothing_of_its_transaction() -> None:
    kept = Kept()
    with pytest.raises(ViolationError, match="a/sums"):
        kept, _ = derived(batch({"n": 1}, {"n": "x"}))

    assert kept.committed == []


def test_an_invalid_document_of_a_source_with_a_read_schema_is_refused() -> None:
    source = msgspec.structs.replace(SOURCE, read_schema=msgspec.Raw(b'{"properties":{"n":{"maximum":3}}}'))
    transform = Transform(name="numbers", collection=source)
    with pytest.raises(ViolationError, match="a/numbers"):
        Shuffled(0, transform).lines([(1, 16, b'{"n":4}')])
