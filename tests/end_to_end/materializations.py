"""Conversing with a materialization's process, request by request, as Flow's runtime does."""

from __future__ import annotations

import json
import random
import signal
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from python.protocol import materialize as wire
from python.protocol import packed
from python.protocol.codec import MATERIALIZE_REQUESTS, MATERIALIZE_RESPONSES
from python.protocol.flow import MaterializationSpec, RangeSpec
from python.protocol.wire import ABSENT
from tests.conversing import ROOT, Ended, converse, start
from tests.materializing import FULL, binding, collection, place, spec

THINGS = collection(place("/id", "integer"), place("/name", "string", "null"))
SECONDS_MAX = 60


def command(name: str) -> list[str]:
    own = ROOT / name / ".venv" / "bin" / "python"
    return [str(own if own.exists() else sys.executable), "-m", name]


def as_request(message: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(MATERIALIZE_REQUESTS.encode(message))
    return found


def things(config: dict[str, Any], **more: Any) -> MaterializationSpec:
    return spec(config, binding(THINGS, "things", **more))


def applied(name: str, wanted: MaterializationSpec, last: MaterializationSpec | None = None) -> Ended:
    end = converse(
        command(name), as_request(wire.Apply(materialization=wanted, version="1", last_materialization=last))
    )
    assert (end.status, end.kinds) == (0, ["applied"]), end.stderr
    return end


class Process:
    """An open materialization in a process. Every response is decoded as strictly as Flow's runtime does it."""

    def __init__(
        self, name: str, opened: MaterializationSpec, range_: RangeSpec = FULL, state: msgspec.Raw = ABSENT
    ) -> None:
        self.child = start(command(name))
        answer = self.ask(wire.Open(materialization=opened, version="1", range=range_, state=state))
        assert isinstance(answer, wire.Opened), answer
        self.checkpoint = bytes(answer.runtime_checkpoint).decode()

    def tell(self, *requests: Any) -> None:
        assert self.child.stdin
        self.child.stdin.write("".join(MATERIALIZE_REQUESTS.encode(request).decode() for request in requests))
        self.child.stdin.flush()

    def hear(self) -> Any:
        """Return the next response; None where the process has ended."""
        assert self.child.stdout
        line = self.child.stdout.readline()
        return MATERIALIZE_RESPONSES.decode(line.encode()[:-1]) if line else None

    def ask(self, *requests: Any) -> Any:
        self.tell(*requests)
        return self.hear()

    def load(self, *keys: Sequence[Any], as_tuples: bool = False) -> list[dict[str, Any]]:
        """Begin a transaction: acknowledge, load, flush."""
        loads = [
            wire.Load(key_packed=packed.pack(key))
            if as_tuples
            else wire.Load(key=msgspec.Raw(json.dumps(key).encode()))
            for key in keys
        ]
        assert isinstance(self.ask(wire.Acknowledge(), *loads), wire.Acknowledged)
        self.tell(wire.Flush())
        heard = [self.hear()]
        while isinstance(heard[-1], wire.Loaded):
            heard.append(self.hear())
        assert isinstance(heard[-1], wire.Flushed), heard[-1]
        return [json.loads(bytes(each.doc)) for each in heard[:-1]]

    def store(self, *documents: dict[str, Any], as_tuples: bool = False, **flags: Any) -> None:
        for each in documents:
            key, values = [each["id"]], [each.get("name")]
            members: dict[str, Any] = {"key": _raw(key), "values": _raw(values)}
            if as_tuples:
                members = {"key_packed": packed.pack(key), "values_packed": packed.pack(values)}
            self.tell(wire.Store(doc=_raw(each), **members, **flags))

    def commit(self, checkpoint: str) -> Any:
        return self.ask(wire.StartCommit(runtime_checkpoint=msgspec.Raw(checkpoint.encode())))

    def transaction(self, *documents: dict[str, Any], checkpoint: str = "{}", **flags: Any) -> None:
        self.load()
        self.store(*documents, **flags)
        assert isinstance(self.commit(checkpoint), wire.StartedCommit)

    def end(self) -> tuple[int, list[dict[str, Any]]]:
        """Close stdin; return the exit status and the logs. Nothing more may be said."""
        stdout, stderr = self.child.communicate(timeout=SECONDS_MAX)
        assert [line for line in stdout.splitlines() if "acknowledged" not in line] == []
        return self.child.returncode, [json.loads(line) for line in stderr.splitlines()]

    def kill(self) -> None:
        self.child.send_signal(signal.SIGKILL)
        self.child.communicate(timeout=SECONDS_MAX)


def fences_off_the_spec_before(name: str, config: dict[str, Any]) -> None:
    """Stop a process before its commit, empty its table for a backfill, and let it go on: it stores nothing."""
    old, new = things(config), things(config, backfill=1)
    applied(name, old)
    zombie = Process(name, old)
    zombie.transaction({"id": 1, "name": "old"}, checkpoint="1")
    zombie.load([1])
    zombie.store({"id": 1, "name": "zombie"}, {"id": 2, "name": "zombie"})
    zombie.child.send_signal(signal.SIGSTOP)
    zombie.tell(wire.StartCommit())
    (answer,) = applied(name, new, old).responses
    assert "empty table" in answer["applied"]["actionDescription"]
    zombie.child.send_signal(signal.SIGCONT)

    assert isinstance(zombie.hear(), wire.StartedCommit)
    status, logs = zombie.end()
    assert status != 0
    assert "another session of acmeCo/target has taken over" in logs[-1]["message"]
    successor = Process(name, new)
    assert successor.checkpoint == "1"
    assert successor.load([1], [2]) == []
    successor.kill()


def snapshots_of(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return what a connector says of itself, of a collection, and of what it did for one that has grown since."""
    kinds = {
        "integer": place("/integer", "integer"),
        "small": place("/small", "integer", "null", minimum=0, maximum=9),
        "number": place("/number", "number"),
        "when": place("/when", "string", format="date-time"),
        "meta": place("/_meta/op", "string"),
        "uuid": place("/_meta/uuid", "string", format="uuid"),
        "object": place("/object", "object"),
        "several": place("/several", "string", "array"),
        "nothing": place("/nothing", "null"),
    }
    grown = collection(place("/id", "string"), *kinds.values())
    first = collection(grown.projections[0])
    old, new = (spec(config, binding(source, "t", exclude=("nothing",))) for source in (first, grown))
    asked = wire.ValidateBinding(resource_config=msgspec.Raw(b'{"table":"t"}'), collection=grown)
    end = converse(
        command(name),
        {"spec": {}},
        as_request(wire.Validate(name="acmeCo/x", config=new.config, bindings=(asked,))),
        as_request(wire.Apply(materialization=old, version="1")),
        as_request(wire.Apply(materialization=new, version="2", last_materialization=old)),
    )
    assert (end.status, end.kinds) == (0, ["spec", "validated", "applied", "applied"]), end.stderr
    applied_ = [response["applied"] for response in end.responses[2:]]
    return {"spec": end.responses[0], "validated": end.responses[1], "applied": applied_}


def survives_kills(name: str, config: dict[str, Any], kills: int) -> None:
    """Count keys up in transactions, with a SIGKILL at a random moment of each, and look at the counts."""
    chance, wanted = random.Random(name), things(config)
    applied(name, wanted)
    keys, done, rounds = range(20), 0, 0
    while rounds < kills or done < kills // 2:
        process = Process(name, wanted)
        rounds, done = rounds + 1, int(process.checkpoint or 0)
        chosen = [key for key in keys if (key * 7 + done) % 3]
        counts = {doc["id"]: int(doc["name"]) for doc in process.load(*([key] for key in chosen))}
        expected = expected_after(done, keys)
        assert counts == {key: expected[key] for key in chosen if expected[key]}
        process.store(*({"id": key, "name": str(counts.get(key, 0) + 1)} for key in chosen), exists=False)
        if chance.random() < 0.7:
            process.tell(wire.StartCommit(runtime_checkpoint=_raw(done + 1)))
            if chance.random() < 0.7:
                process.hear()
                process.ask(wire.Acknowledge())
        process.kill()


def expected_after(done: int, keys: Sequence[int]) -> dict[int, int]:
    """How often each key has been counted after so many transactions."""
    return {key: sum(1 for number in range(done) if (key * 7 + number) % 3) for key in keys}


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())
