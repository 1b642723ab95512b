from __future__ import annotations

import base64
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from python import materialize
from python.materialize_loop import LOAD_BYTES_MAX, Transactions
from python.protocol import document
from python.protocol import materialize as wire
from python.protocol.codec import MATERIALIZE_REQUESTS, MATERIALIZE_RESPONSES
from python.protocol.errors import ConfigError, RemoteProtocolError
from python.protocol.flow import CollectionSpec, FieldSelection, MaterializationBinding, MaterializationSpec, Projection
from python.protocol.packed import pack
from tests.connectors.shelf import Config, Resource, Shelf, Shelves
from tests.conversing import ROOT, Ended, converse, ended, start

SHELVES = [sys.executable, str(ROOT / "tests" / "connectors" / "shelf.py")]
FLUSH: dict[str, Any] = {"flush": {}}
ACKNOWLEDGE: dict[str, Any] = {"acknowledge": {}}


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def opening(path: Path, *, state: Any = None, **config: Any) -> dict[str, Any]:
    bindings = [
        {
            "resourceConfig": {"table": name},
            "resourcePath": [name],
            "collection": {"name": f"acme/{name}", "key": ["/id"], "projections": [{"ptr": "/id", "field": "id"}]},
            "fieldSelection": {"keys": ["id"], "document": "flow_document"},
            "stateKey": name,
        }
        for name in ("a", "b")
    ]
    spec = {"name": "acme/shelf", "config": {"path": str(path), **config}, "bindings": bindings}
    return {"open": {"materialization": spec, "version": "1", "state": state or {}}}


def store(key: int, doc: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"store": {"key": [key], "values": [], "doc": doc, **members}}


def commit(n: int) -> dict[str, Any]:
    return {"startCommit": {"runtimeCheckpoint": {"n": n}}}


class Talk:
    """A conversation line by line, as the runtime has it: it waits for answers before it goes on."""

    def __init__(self, *requests: dict[str, Any]) -> None:
        self.process = start(SHELVES)
        self.say(*requests)

    def say(self, *requests: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write("".join(json.dumps(request) + "\n" for request in requests))
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout
        heard: dict[str, Any] = json.loads(self.process.stdout.readline())
        return heard

    def end(self) -> Ended:
        return ended(self.process)


def transaction(talk: Talk, n: int, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a transaction: loads first, then stores. Return the answers."""
    talk.say(ACKNOWLEDGE, *[each for each in requests if "load" in each])
    heard = [talk.hear()]
    talk.say(FLUSH)
    while "flushed" not in heard[-1]:
        heard.append(talk.hear())
    talk.say(*[each for each in requests if "store" in each], commit(n))
    return [*heard, talk.hear()]


def test_what_was_stored_is_loaded_by_the_next_session(tmp_path: Path) -> None:
    path = tmp_path / "shelf.json"
    talk = Talk(opening(path))
    assert talk.hear() == {"opened": {}}
    first = transaction(talk, 1, {"load": {"key": [1]}}, store(1, {"id": 1, "x": 1}), store(2, {"id": 2}))
    assert first == [
        {"acknowledged": {}},
        {"flushed": {}},
        {"startedCommit": {"state": {"updated": {"stored": 2}, "mergePatch": True}}},
    ]
    assert talk.end().status == 0

    talk = Talk(opening(path))
    assert talk.hear() == {"opened": {"runtimeCheckpoint": {"n": 1}}}
    second = transaction(talk, 2, {"load": {"key": [1]}}, {"load": {"key": [3]}}, {"load": {"key": [1], "binding": 1}})
    assert second[1:3] == [{"loaded": {"binding": 0, "doc": {"id": 1, "x": 1}}}, {"flushed": {}}]
    assert talk.end().reason == "closed"


def test_keys_are_the_same_packed_or_as_json(tmp_path: Path) -> None:
    talk = Talk(opening(tmp_path / "shelf.json"))
    talk.hear()
    packed = base64.b64encode(pack([1])).decode()
    transaction(talk, 1, {"store": {"keyPacked": packed, "valuesPacked": "", "doc": {"id": 1}}})
    heard = transaction(talk, 2, {"load": {"keyPacked": packed}})
    assert {"loaded": {"binding": 0, "doc": {"id": 1}}} in heard
    transaction(talk, 3, store(1, {"id": 1}, delete=True))
    assert len(transaction(talk, 4, {"load": {"key": [1]}})) == 3
    assert talk.end().status == 0


def test_keys_arrive_while_the_transaction_before_commits(tmp_path: Path) -> None:
    talk = Talk(opening(tmp_path / "shelf.json", mood="commit slowly"))
    talk.hear()
    transaction(talk, 1, store(1, {"id": 1}))
    talk.say(ACKNOWLEDGE, *[{"load": {"key": [n]}} for n in range(30_000)])  # more than the pipe holds
    (tmp_path / "shelf.gate").touch()

    assert talk.hear() == {"acknowledged": {}}
    talk.say(FLUSH)
    assert [talk.hear(), talk.hear()] == [{"loaded": {"binding": 0, "doc": {"id": 1}}}, {"flushed": {}}]
    talk.process.kill()
    talk.process.communicate()


def test_a_commit_that_fails_ends_the_session_with_its_reason(tmp_path: Path) -> None:
    talk = Talk(opening(tmp_path / "shelf.json", mood="fail to commit"))
    talk.hear()
    transaction(talk, 1, store(1, {"id": 1}))
    end = talk.end()

    assert (end.status, end.reason) == (1, "the disk is full: make room")


def test_an_acknowledgement_that_fails_ends_the_session_with_its_reason(tmp_path: Path) -> None:
    end = converse(SHELVES, opening(tmp_path / "shelf.json", mood="fail to acknowledge"), ACKNOWLEDGE)

    assert (end.status, end.reason) == (1, "the staged files are gone: raise the backfill counter")


def test_stdin_s_end_after_loads_is_an_error_and_between_transactions_is_none(tmp_path: Path) -> None:
    opened = opening(tmp_path / "shelf.json")

    assert converse(SHELVES, opened).status == 0
    assert converse(SHELVES, opened, ACKNOWLEDGE).status == 0
    broken = converse(SHELVES, opened, ACKNOWLEDGE, {"load": {"key": [1]}})
    assert broken.status == 1
    assert "in the middle of a transaction" in broken.reason


def test_flushing_before_the_acknowledgement_is_the_runtime_s_mistake(tmp_path: Path) -> None:
    end = converse(SHELVES, opening(tmp_path / "shelf.json"), FLUSH)

    assert end.status == 1
    assert "the runtime broke the protocol: Flush came while" in end.reason


def test_a_secret_never_reaches_the_logs(tmp_path: Path) -> None:
    end = converse(SHELVES, opening(tmp_path / "shelf.json", token="sesame", mood=5))

    assert end.status == 1
    assert "config /mood: got 5" in end.reason
    assert "sesame" not in end.stderr


class Recording(materialize.Transactor):
    def __init__(self) -> None:
        self.loads: list[int] = []
        self.stores: list[int] = []
        self.values: list[Any] = []

    def load(self, keys: Any) -> Any:
        self.loads.append(len(keys))
        return ()

    def store(self, documents: Any) -> None:
        self.stores.append(len(documents))
        self.values += [store.values for store in documents]

    def start_commit(self, checkpoint: msgspec.Raw) -> None:
        del checkpoint


def test_what_waits_is_bounded_in_bytes() -> None:
    recording = Recording()
    transactions = Transactions(recording, lambda: None)
    key, doc = raw(["k" * 998]), raw({"d": "x" * 9_992})
    list(transactions.acknowledge(wire.Acknowledge()))
    for _ in range(LOAD_BYTES_MAX // 1002 + 1):
        list(transactions.load([wire.Load(key=key)]))
    for _ in range(recording.store_bytes_max // 10_000 + 1):
        list(transactions.store([wire.Store(key=raw([1]), values=raw([]), doc=doc)]))

    assert recording.loads == [LOAD_BYTES_MAX // 1002 + 1]
    assert len(recording.stores) == 1


@pytest.mark.parametrize("text", [b'["\\ud800"]', b"{}", b"[1"])
def test_keys_that_are_no_json_array_or_no_unicode_are_refused_in_words(text: bytes) -> None:
    transactions = Transactions(Recording(), lambda: None)

    with pytest.raises(RemoteProtocolError, match="the key or the values of a document are no JSON array, or have a"):
        list(transactions.load([wire.Load(key=msgspec.Raw(text))]))


@pytest.mark.parametrize(
    ("odd", "kept"),
    [
        ("1.10", "1.1"),
        ("12345678901234567.8", "12345678901234567.8"),
        ("1e400", "1e400"),
        ("-0", "0"),
        ("18446744073709551617", "18446744073709551617"),
        ('{"a":1,"a":2}', '{"a":2}'),
        ('"\\u00e9"', '"é"'),
        ('"é"', '"é"'),
        ("[]", "[]"),
    ],
)
def test_values_that_come_together_are_those_that_come_alone(odd: str, kept: str) -> None:
    texts = [f"[1.5,{odd}]", "[]", f'[{odd}, "a"]', "[null,true]"]
    together, alone = Recording(), Recording()
    for recording, runs in (together, [texts]), (alone, [[text] for text in texts]):
        transactions = Transactions(recording, lambda: None)
        for run in runs:
            stores = [wire.Store(key=raw([1]), values=msgspec.Raw(text.encode()), doc=raw({})) for text in run]
            list(transactions.store(stores))
        list(transactions.start_commit(wire.StartCommit()))
        transactions.finish()

    assert list(map(document.encode, together.values)) == list(map(document.encode, alone.values))
    assert document.encode(together.values[0]).decode() == f"[1.5,{kept}]"
    assert [list(map(type, values)) for values in together.values] == [
        list(map(type, values)) for values in alone.values
    ]


def test_what_could_not_be_committed_is_never_acknowledged() -> None:
    called: list[str] = []

    class Failing(Recording):
        def commit(self) -> None:
            raise materialize.ConnectorError("the disk is full")

        def acknowledge(self, patches: Any) -> None:
            called.append("acknowledge")

    transactions = Transactions(Failing(), lambda: None)
    list(transactions.start_commit(wire.StartCommit()))
    with pytest.raises(materialize.ConnectorError, match="the disk is full"):
        list(itertools.chain(transactions.acknowledge(wire.Acknowledge()), transactions.flush(wire.Flush())))

    assert called == []


def test_state_patches_of_all_shards_are_given_to_acknowledge() -> None:
    given: list[Any] = []

    class Patched(Recording):
        def acknowledge(self, patches: Any) -> None:
            given.extend(patches)

    transactions = Transactions(Patched(), lambda: None)
    list(transactions.acknowledge(wire.Acknowledge(state_patches=msgspec.Raw(b'[{"a":1}\t,null\t]'))))
    list(transactions.flush(wire.Flush()))

    assert given == [{"a": 1}, None]


def validating(*resources: dict[str, Any], last: MaterializationSpec | None = None) -> wire.Validate:
    return wire.Validate(
        config=raw({"path": "x"}),
        bindings=tuple(
            wire.ValidateBinding(
                resource_config=raw(resource), collection=CollectionSpec(projections=(Projection(field="id"),))
            )
            for resource in resources
        ),
        last_materialization=last,
    )


def test_paths_and_delta_updates_are_read_where_the_schema_marks_them() -> None:
    asked = validating({"table": "a"}, {"table": "a", "area": "x", "delta": True})
    (validated,) = Shelves().answer(asked)

    assert isinstance(validated, wire.Validated)
    assert [each.resource_path for each in validated.bindings] == [("a",), ("x", "a")]
    assert [each.delta_updates for each in validated.bindings] == [False, True]
    assert validated.bindings[0].constraints["id"].type == "FIELD_OPTIONAL"


def test_two_bindings_of_one_resource_are_refused() -> None:
    with pytest.raises(ConfigError, match="/bindings/1: got 'a', want a resource that no other binding stores to"):
        list(Shelves().answer(validating({"table": "a"}, {"table": "a"})))


def test_a_bad_resource_names_its_binding() -> None:
    with pytest.raises(ConfigError, match="config /bindings/0/resource/table: got nothing, want a value"):
        list(Shelves().answer(validating({"area": "x"})))


def test_a_binding_knows_the_one_applied_before_inactive_or_not() -> None:
    seen: list[Any] = []

    class Seeing(Shelves):
        def validate(self, request: materialize.Validate[Config, Resource]) -> Any:
            seen.extend(request.bindings)
            return super().validate(request)

    old = MaterializationBinding(resource_config=raw({"table": "a"}), resource_path=("a",), backfill=3)
    now = MaterializationBinding(resource_config=raw({"table": "b"}), resource_path=("b",), backfill=2)
    gone = MaterializationBinding(resource_config=raw({"table": "b"}), resource_path=("b",), backfill=1)
    last = MaterializationSpec(config=raw({"path": "x"}), bindings=(now,), inactive_bindings=(old, gone))
    list(Seeing().answer(validating({"table": "a"}, {"table": "b"}, {"table": "c"}, last=last)))

    assert [each.last.backfill if each.last else None for each in seen] == [3, 2, None]


def test_a_binding_s_fields_are_projections_in_the_order_of_the_wire() -> None:
    projections = tuple(Projection(field=name, ptr=f"/{name}") for name in ("a", "b", "doc"))
    fields = FieldSelection(keys=("b",), values=("a",), document="doc")
    binding = materialize.Binding(
        index=0,
        resource=None,
        resource_path=("t",),
        delta_updates=False,
        collection=CollectionSpec(projections=projections),
        fields=fields,
        backfill=0,
        state_key="t",
    )

    assert [found.ptr for found in (*binding.keys, *binding.values)] == ["/b", "/a"]
    assert binding.document == projections[2]


def test_applying_says_what_was_done() -> None:
    spec = MaterializationSpec(
        config=raw({"path": "x"}), bindings=(MaterializationBinding(resource_config=raw({"table": "a"})),)
    )

    assert list(Shelves().answer(wire.Apply(materialization=spec))) == [wire.Applied(action_description="create a")]
    assert list(Shelves().answer(wire.Apply(materialization=spec, last_materialization=spec))) == [wire.Applied()]


def test_sigterm_between_transactions_ends_with_status_0(tmp_path: Path) -> None:
    talk = Talk(opening(tmp_path / "shelf.json"), ACKNOWLEDGE)
    talk.hear()
    talk.hear()
    talk.process.terminate()

    assert talk.process.wait(30) == 0
    talk.process.communicate()


def test_a_killed_session_resumes_from_its_last_commit(tmp_path: Path) -> None:
    path = tmp_path / "shelf.json"
    talk = Talk(opening(path))
    talk.hear()
    transaction(talk, 1, store(1, {"id": 1}))
    transaction(talk, 2, store(2, {"id": 2}))
    talk.process.kill()
    talk.process.communicate()

    talk = Talk(opening(path))
    committed = talk.hear()["opened"]["runtimeCheckpoint"]["n"]
    assert committed >= 1  # the second commit may have been under way
    heard = transaction(talk, committed + 1, *[{"load": {"key": [n]}} for n in (1, 2)])
    assert len([each for each in heard if "loaded" in each]) == committed
    assert talk.end().status == 0


def test_a_checkpoint_that_is_empty_text_is_no_checkpoint(tmp_path: Path) -> None:
    class Fresh(Shelves):
        def open(self, request: Any) -> Shelf:
            opened = super().open(request)
            opened.runtime_checkpoint = msgspec.Raw(b"")
            return opened

    request = MATERIALIZE_REQUESTS.decode(json.dumps(opening(tmp_path / "shelf.json")).encode())
    (answer,) = Fresh().answer(request)

    assert MATERIALIZE_RESPONSES.encode(answer) == b'{"opened":{}}\n'
