"""A materialization in plain Python that keeps every promise, but for the one that its first argument names.

The second argument is a file: tables, the checkpoint and the number of the last session are there, as JSON.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

from speaking import Json, fail, message, say

DEFECT, STORE = sys.argv[1], Path(sys.argv[2])
TABLE = {"type": "string", "title": "Table", "description": "Where to.", "x-collection-name": True}
DELTA = {"type": "boolean", "title": "Delta", "description": "Rows only.", "default": False, "x-delta-updates": True}
RESOURCE: Json = {"type": "object", "required": ["table"], "properties": {"table": TABLE, "delta": DELTA}}


def stored() -> Json:
    empty: Json = {"tables": {}, "checkpoint": None, "session": 0}
    return {**empty, **(json.loads(STORE.read_text()) if STORE.exists() else {})}


def unpacked(text: str) -> list[int]:
    """The integers of a packed tuple, which is all that the suite stores: zeros, and those of up to eight bytes."""
    data, found = base64.b64decode(text, validate=True), []
    while data:
        size, data = data[0] - 20, data[1:]
        raw, data = data[: abs(size)], data[abs(size) :]
        number = int.from_bytes(raw, "big")
        found.append(number if size >= 0 else number - (1 << 8 * len(raw)) + 1)
    return found


class Materialization:
    """`state` is where the conversation stands; `rows` are what this transaction stores, by table and key."""

    def __init__(self) -> None:
        self.state = "idle"
        self.bindings: list[Json] = []
        self.rows: list[tuple[str, str, Any]] = []
        self.asked: list[tuple[int, str]] = []
        self.session = 0
        self.checkpoint: Any = None

    def spec(self, _asked: Json) -> None:
        places = {**RESOURCE, "required": []} if DEFECT == "the name is optional" else RESOURCE
        pointers = {"resourcePathPointers": ["/table"]} if DEFECT == "pointers" else {}
        about = {"protocol": 3032023, "documentationUrl": "https://acme.test/docs", **pointers}
        say(spec={**about, "configSchema": {"type": "object"}, "resourceConfigSchema": places})

    def validate(self, asked: Json) -> None:
        bindings = asked.get("bindings", [])
        if not isinstance(bindings, list) or not all(isinstance(each, dict) for each in bindings):
            fail("bindings: want a list of objects")
        if not isinstance(asked.get("config", {}), dict):
            fail("config: want an object")
        say(validated={"bindings": [self.validated(each) for each in bindings]})

    def validated(self, asked: Json) -> Json:
        reason = {} if DEFECT == "no reasons" else {"reason": "It is the key."}
        kind = "FIELD_WANTED" if DEFECT == "a type of its own" else "LOCATION_REQUIRED"
        found = {each["field"]: {"type": "FIELD_OPTIONAL"} for each in asked["collection"]["projections"]}
        whole = {"flow_document": {"type": "LOCATION_REQUIRED", "reason": "It is reduced."}}
        strange = {"strange": {"type": "FIELD_OPTIONAL"}} if DEFECT == "strange field" else {}
        resource = asked["resourceConfig"]
        constraints = {**found, **whole, "id": {"type": kind, **reason}, **strange}
        delta = {"deltaUpdates": True} if resource.get("delta") else {}
        return {"resourcePath": [resource["table"]], "constraints": constraints, **delta}

    def apply(self, asked: Json) -> None:
        store = stored()
        for each in asked["materialization"].get("bindings", []):
            store["tables"][each["resourceConfig"]["table"]] = {}
        STORE.write_text(json.dumps(store))
        say(applied={"actionDescription": "made tables"})

    def open(self, asked: Json) -> None:
        if not isinstance(asked.get("range", {}), dict) or isinstance(asked.get("range", {}).get("keyBegin"), float):
            fail("range: want two integers")
        self.bindings = asked["materialization"].get("bindings", [])
        store = stored()
        self.session = store["session"] = store["session"] + 1
        STORE.write_text(json.dumps(store))
        self.state = "open"
        known = {"runtimeCheckpoint": store["checkpoint"]} if store["checkpoint"] is not None else {}
        if DEFECT == "another checkpoint" and known:
            known = {"runtimeCheckpoint": {"other": 1}}
        say(opened=known)

    def acknowledge(self, _asked: Json) -> None:
        if self.state == "loading":
            fail("acknowledge came twice")
        self.state = "loading"
        self.asked = []
        if DEFECT == "acknowledges once" and self.session > 1 and not self.checkpoint and stored()["checkpoint"]:
            fail("there is nothing to acknowledge")
        if DEFECT != "never acknowledged":
            say(acknowledged={})

    def load(self, asked: Json) -> None:
        binding = self.bound(asked)
        if not self.bindings[binding]["resourceConfig"].get("delta"):
            self.asked.append((binding, self.key(asked)))
        elif DEFECT == "loads of deltas":
            say(loaded={"binding": binding, "doc": {"id": 1}})

    def flush(self, _asked: Json) -> None:
        tables = stored()["tables"]
        for binding, key in self.asked:
            table = tables[self.bindings[binding]["resourceConfig"]["table"]]
            for _ in range((key in table) * (1 + (DEFECT == "loads twice"))):
                say(loaded={"binding": binding, "doc": table[key]})
        if DEFECT == "loads at random" and self.bindings:
            say(loaded={"binding": 0, "doc": {"id": 99, "name": None}})
        if DEFECT == "loads deltas" and self.bindings and self.bindings[0]["resourceConfig"].get("delta"):
            say(loaded={"binding": 0, "doc": {"id": 1, "name": None}})
        self.state = "storing"
        say(flushed={})
        if DEFECT == "flushes twice":
            say(flushed={})

    def store(self, asked: Json) -> None:
        binding = self.bound(asked)
        table = self.bindings[binding]["resourceConfig"]["table"]
        doc = None if asked.get("delete") else asked.get("doc", {})
        if DEFECT == "keeps the first" and asked.get("exists"):
            return
        self.rows.append((table, self.key(asked), doc))

    def commit(self, asked: Json) -> None:
        store = stored()
        if DEFECT != "no fence" and store["session"] != self.session:
            fail("a newer session has taken over")
        for table, key, doc in self.rows:
            store["tables"][table].pop(key, None)
            store["tables"][table].update({} if doc is None else {key: doc})
        self.rows = []
        self.checkpoint = store["checkpoint"] = asked.get("runtimeCheckpoint")
        STORE.write_text(json.dumps(store))
        self.state = "open"
        say(startedCommit={})

    def bound(self, asked: Json) -> int:
        binding = asked.get("binding", 0)
        if not isinstance(binding, int) or not 0 <= binding < len(self.bindings):
            fail(f"binding {binding} is not open")
        return binding

    def key(self, asked: Json) -> str:
        if "key" in asked:
            return json.dumps(asked["key"])
        if DEFECT == "JSON keys alone":
            fail("a key is missing")
        try:
            return json.dumps(unpacked(asked["keyPacked"]))
        except ValueError:
            fail("a packed key is no base64")


LEGAL = {
    "idle": ("spec", "validate", "apply", "open"),
    "open": ("acknowledge", "load"),
    "loading": ("load", "flush"),
    "storing": ("store", "startCommit"),
}


def main() -> None:
    target = Materialization()
    for line in iter(sys.stdin.buffer.readline, b""):
        kind, asked = message(line)
        if kind not in LEGAL[target.state]:
            fail(f"{kind} came while {target.state}")
        getattr(target, {"startCommit": "commit"}.get(kind, kind))(asked)
    if DEFECT == "bad end" or target.state == "storing":
        fail("stdin ended amid a transaction")


if __name__ == "__main__":
    main()
