import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest

from python import materialize as base
from python.protocol.errors import RemoteProtocolError
from python.protocol.flow import (
    CollectionSpec,
    ConnectorState,
    FieldSelection,
    MaterializationBinding,
    MaterializationSpec,
    Projection,
)
from python.protocol.materialize import Acknowledge, Load, Loaded, Open, Opened, StartCommit, Store
from python.protocol.patch import apply_state
from python.runner.journal import Row
from python.runner.materializing import Committed, checkpoint_of, materialize, offsets_in
from python.runner.reading import Batch, Run
from python.runner.stored import Stored
from tests.runner.in_memory import connected

SUMS = b'{"reduce":{"strategy":"merge"},"properties":{"n":{"reduce":{"strategy":"sum"}}}}'
BINDING = MaterializationBinding(
    collection=CollectionSpec(
        name="a/sums",
        key=("/id",),
        write_schema=msgspec.Raw(SUMS),
        projections=(Projection(field="id", ptr="/id"), Projection(field="flow_document", ptr="")),
    ),
    resource_config=msgspec.Raw(b'{"table":"sums"}'),
    resource_path=("sums",),
    field_selection=FieldSelection(keys=("id",), document="flow_document"),
)


class Memory(base.Transactor):
    """An endpoint in memory, whose states tell what was called."""

    def __init__(self) -> None:
        self.documents: dict[tuple[Any, ...], Any] = {}
        self.stray = b""

    def load(self, keys: Sequence[base.Load]) -> Iterable[Loaded]:
        for load in keys:
            if load.key in self.documents:
                yield Loaded(binding=load.binding, doc=msgspec.Raw(json.dumps(self.documents[load.key]).encode()))
        if self.stray:
            yield Loaded(binding=0, doc=msgspec.Raw(self.stray))

    def flush(self) -> ConnectorState:
        return base.merge_patch({"flushed": len(self.documents)})

    def store(self, documents: Sequence[base.Store]) -> None:
        self.documents.update({store.key: json.loads(store.doc) for store in documents})

    def start_commit(self, checkpoint: msgspec.Raw) -> ConnectorState:
        return base.merge_patch({"committed": offsets_in(checkpoint)})

    def acknowledge(self, patches: Sequence[Any]) -> ConnectorState:
        return base.merge_patch({"acknowledged": len(self.documents)})


class Connector(base.Connector[dict[str, Any], dict[str, Any], dict[str, Any]]):
    config_schema: Any = {}
    resource_config_schema: Any = {"properties": {"table": {"type": "string", "x-collection-name": True}}}

    def __init__(self) -> None:
        self.memory = Memory()

    def open(self, request: Any) -> Memory:
        return self.memory


class Kept:
    """What a store would keep, and when."""

    def __init__(self) -> None:
        self.state: object = {}
        self.transactions: list[Committed] = []
        self.told: list[Any] = []

    def update(self, state: ConnectorState) -> None:
        self.told.append(json.loads(bytes(state.updated)))
        self.state = apply_state(self.state, state)

    def commit(self, transaction: Committed) -> None:
        self.told.append("commit")
        self.transactions.append(transaction)
        for state in transaction.states:
            self.state = apply_state(self.state, state)


def batch(*docs: Any, read_to: int) -> Batch:
    rows: list[Row] = [(number, 16, json.dumps(doc).encode()) for number, doc in enumerate(docs, start=1)]
    return Batch(runs=[Run(0, rows)], offsets={"a/sums/0;t": read_to})


def materialized(connector: Connector, *batches: Batch | None) -> tuple[Kept, list[Any]]:
    connection, child = connected(connector)
    connection.send(Open(materialization=MaterializationSpec(bindings=(BINDING,)), state=msgspec.Raw(b"{}")))
    connection.receive(Opened)
    kept = Kept()
    materialize(connection, [Stored(0, BINDING)], batches, kept)
    return kept, child.requests


def test_loaded_documents_are_reduced_into() -> None:
    connector = Connector()
    first = batch({"id": 1, "n": 1}, {"id": 2, "n": 2}, {"id": 1, "n": 3}, read_to=3)
    kept, requests = materialized(connector, first, None, batch({"id": 1, "n": 10}, read_to=4))

    assert connector.memory.documents == {(1,): {"id": 1, "n": 14}, (2,): {"id": 2, "n": 2}}
    assert [each.exists for each in requests if isinstance(each, Store)] == [False, False, True]
    assert [(done.read, done.stored, done.offsets["a/sums/0;t"]) for done in kept.transactions] == [
        (3, 2, 3),
        (1, 1, 4),
    ]


def test_every_transaction_is_acknowledged_the_last_one_too_and_one_before_the_first() -> None:
    _, requests = materialized(Connector(), batch({"id": 1}, read_to=1), batch({"id": 2}, read_to=2))

    kinds = [type(each).__name__ for each in requests if isinstance(each, (Acknowledge, StartCommit))]
    assert kinds == ["Acknowledge", "StartCommit", "Acknowledge", "StartCommit", "Acknowledge"]


def test_keys_are_on_their_way_before_the_last_transaction_is_acknowledged() -> None:
    _, requests = materialized(Connector(), batch({"id": 1}, read_to=1))

    kinds = [type(each).__name__ for each in requests[1:]]
    assert kinds == ["Acknowledge", "Load", "Flush", "Store", "StartCommit", "Acknowledge"]
    assert isinstance(requests[2], Load)


def test_states_are_durable_when_the_protocol_wants_them_to_be() -> None:
    kept, _ = materialized(Connector(), batch({"id": 1}, read_to=1))

    assert kept.told == [{"acknowledged": 0}, {"flushed": 0}, "commit", {"acknowledged": 1}]
    assert kept.state == {"acknowledged": 1, "flushed": 0, "committed": {"a/sums/0;t": 1}}


def test_a_document_that_was_not_asked_for_ends_the_session_uncommitted() -> None:
    connector = Connector()
    connector.memory.stray = b'{"id":9}'
    kept = None
    with pytest.raises(RemoteProtocolError, match=r"the key \[9\] was loaded unasked"):
        kept, _ = materialized(connector, batch({"id": 1}, read_to=1))

    assert kept is None
    assert connector.memory.documents == {}


def test_a_checkpoint_has_the_shape_of_gazettes_and_gives_the_offsets_back() -> None:
    checkpoint = checkpoint_of({"a/b/f00;materialize/m/t": 7})

    assert json.loads(bytes(checkpoint)) == {
        "sources": {"a/b/f00;materialize/m/t": {"readThrough": "7", "producers": []}}
    }
    assert offsets_in(checkpoint) == {"a/b/f00;materialize/m/t": 7}
    with pytest.raises(RemoteProtocolError, match="the endpoint's checkpoint is none of ours"):
        offsets_in(msgspec.Raw(b'{"sources":[]}'))
