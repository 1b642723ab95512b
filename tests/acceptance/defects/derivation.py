"""Running sums, in plain Python. Every promise is kept, but for the one that the first argument names."""

from __future__ import annotations

import sys

from speaking import Json, fail, message, say

DEFECT = sys.argv[1]
OBJECT = {"type": "object"}


class Derivation:
    """`sums` are the sums by key, `state` is where the conversation stands, `late` what is published too late."""

    def __init__(self) -> None:
        self.sums: dict[str, int] = {}
        self.state = "idle"
        self.transforms = 0
        self.late: list[Json] = []

    def spec(self, _asked: Json) -> None:
        pointers = {"resourcePathPointers": ["/x"]} if DEFECT == "pointers" else {}
        about = {"protocol": 3032023, "documentationUrl": "https://acme.test/docs", **pointers}
        say(spec={**about, "configSchema": OBJECT, "resourceConfigSchema": OBJECT})

    def validate(self, asked: Json) -> None:
        if not isinstance(asked.get("config", {}), dict) or not isinstance(asked.get("transforms", []), list):
            fail("config: want an object, transforms: a list")
        count = len(asked.get("transforms", ())) - (DEFECT == "one transform less")
        files = {"generatedFiles": {"stub.py": ""}} if DEFECT == "relative file" else {}
        say(validated={"transforms": [{}] * count, **files})

    def open(self, asked: Json) -> None:
        if not isinstance(asked.get("range", {}), dict) or isinstance(asked.get("range", {}).get("keyBegin"), float):
            fail("range: want two integers")
        self.transforms = len(asked["collection"]["derivation"]["transforms"])
        self.state = "reading"
        say(opened={})

    def read(self, asked: Json) -> None:
        number = asked.get("transform", 0)
        if not isinstance(number, int) or not 0 <= number < self.transforms:
            fail(f"transform {number} is not open")
        key = asked["doc"]["k"]
        self.sums[key] = self.sums.get(key, 0) + asked["doc"]["n"]
        doc = {"other": key} if DEFECT == "no key" else {"k": key, "n": self.sums[key]}
        if DEFECT == "late documents":
            self.late.append(doc)
        else:
            say(published={"doc": doc})
        if DEFECT == "flushes by itself":
            say(flushed={})

    def flush(self, _asked: Json) -> None:
        self.state = "flushed"
        if DEFECT != "never flushed":
            say(flushed={})
        for doc in self.late:
            say(published={"doc": doc})
        self.late.clear()

    def commit(self, _asked: Json) -> None:
        self.state = "reading"
        say(startedCommit={"state": {"updated": self.sums}})
        if DEFECT == "commits twice":
            say(startedCommit={})

    def reset(self, _asked: Json) -> None:
        if DEFECT != "remembers":
            self.sums.clear()


IDLE = ("spec", "validate", "open")
LEGAL = {"idle": IDLE, "reading": ("read", "flush", "reset"), "flushed": ("startCommit",)}


def main() -> None:
    derivation = Derivation()
    for line in iter(sys.stdin.buffer.readline, b""):
        kind, asked = message(line)
        if kind not in LEGAL[derivation.state]:
            fail(f"{kind} came while {derivation.state}")
        getattr(derivation, {"startCommit": "commit"}.get(kind, kind))(asked)


if __name__ == "__main__":
    main()
