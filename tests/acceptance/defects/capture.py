"""A capture in plain Python that keeps every promise, but for the one that its first argument names.

The second argument is a file: where a defect is of what stays behind between processes, it is there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from speaking import Json, message

DEFECT, LEFT = sys.argv[1], Path(sys.argv[2])
LOCK = LEFT.with_suffix(".lock")
FULL = 4294967295
COUNTS = {"numbers": 5, "letters": 4}
KEY = {"type": "integer", "title": "N", "description": "Which one it is."}
DOCUMENT = {"type": "object", "properties": {"n": KEY}, "required": ["n"]}
CLOSED = {**DOCUMENT, "additionalProperties": False}
TOKEN: Json = {"type": "string", "title": "Token", "description": "From its settings.", "secret": True}
BRANCH = {"type": "object", "x-oauth2-provider": "acme", "properties": {"token": TOKEN}}
CONFIG: Json = {
    "type": "object",
    "required": ["credentials"],
    "properties": {"credentials": {**BRANCH, "title": "Credentials", "description": "Who you are."}},
}
REFERRING: Json = {
    **CONFIG,
    "$defs": {"credentials": BRANCH},
    "properties": {"credentials": {"$ref": "#/$defs/credentials"}},
}
RESOURCE: Json = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string", "title": "Name", "description": "Of the series."}},
}
OAUTH: Json = {
    "provider": "acme",
    "authUrlTemplate": "https://acme.test/?id={{#urlencode}}{{{ client_id }}}{{/urlencode}}&s={{{ state }}}",
    "accessTokenUrlTemplate": "https://acme.test/token",
}


def spec() -> Json:
    answer = {
        "protocol": 3032023,
        "configSchema": CONFIG,
        "resourceConfigSchema": RESOURCE,
        "documentationUrl": "https://acme.test/docs",
        "oauth2": OAUTH,
        "resourcePathPointers": ["/name"],
    }
    field = CONFIG["properties"]["credentials"]
    changes: Json = {
        "another protocol": {"protocol": 1},
        "no schema": {"configSchema": {"type": 5}},
        "text for a schema": {"configSchema": json.dumps(CONFIG)},
        "hostile schema": {"configSchema": {"oneOf": 5}},
        "closed config": {"configSchema": {**CONFIG, "additionalProperties": False}},
        "no documentation": {"documentationUrl": ""},
        "refers to its secrets": {"configSchema": REFERRING},
        "pointer to nothing": {"resourcePathPointers": ["/nothing"]},
        "token is no secret": {
            "configSchema": {
                **CONFIG,
                "properties": {"credentials": {**field, "properties": {"token": {**TOKEN, "secret": False}}}},
            }
        },
        "no title": {"resourceConfigSchema": {**RESOURCE, "properties": {"name": {"type": "string"}}}},
        "credentials are optional": {"configSchema": {**CONFIG, "required": []}},
        "open tag": {"oauth2": {**OAUTH, "authUrlTemplate": "https://acme.test/{{ client_id"}},
        "unknown variable": {"oauth2": {**OAUTH, "authUrlTemplate": "https://acme.test/{{ password }}"}},
        "spec of its own": {"documentationUrl": f"https://acme.test/{os.getpid()}"},
        "null": {"documentationUrl": None},
        "internal": {"$internal": "AAAA"},
        "unknown member": {"color": "red"},
    }
    return {**answer, **changes.get(DEFECT, {})}


def discovered() -> Json:
    found = [
        {
            "recommendedName": name,
            "resourceConfig": {"name": name},
            "documentSchema": DOCUMENT,
            "key": ["/n"],
        }
        for name in COUNTS
    ]
    changes: Json = {
        "no name": {"recommendedName": ""},
        "no resource": {"resourceConfig": {"name": 7}},
        "one resource twice": {"resourceConfig": {"name": "letters"}},
        "lists": {"documentSchema": {"type": ["object", "array"], "properties": {"n": KEY}, "required": ["n"]}},
        "no key": {"key": []},
        "key of objects": {
            "documentSchema": {**DOCUMENT, "properties": {"n": {"type": "object"}}},
        },
        "key is not there": {"key": ["/m"]},
        "name with spaces": {"recommendedName": "all numbers"},
        "names of its own": {"recommendedName": f"numbers-{os.getpid()}"},
        "flag is text": {"disable": "no"},
    }
    found[0].update(changes.get(DEFECT, {}))
    return {} if DEFECT == "discovers nothing" else {"bindings": found}


def log(message: str, **fields: Any) -> None:
    line = {"level": "info", "message": message, "fields": fields}
    changes: Json = {
        "level of its own": {"level": "CRITICAL"},
        "fields are a list": {"fields": []},
        "event of its own": {"fields": {"eventType": "done"}},
        "no message": {"message": None},
    }
    if DEFECT == "plain logs":
        print(message, file=sys.stderr)
        return
    if DEFECT == "Latin logs":
        sys.stderr.buffer.write('{"level":"info","message":"é"}\n'.encode("latin-1"))
    print(json.dumps({**line, **changes.get(DEFECT, {})}), file=sys.stderr)


def fail(message: str) -> NoReturn:
    if DEFECT != "silent failure":
        print(json.dumps({"level": "error", "message": message}), file=sys.stderr)
    sys.exit(0 if DEFECT == "good status of a failure" else 1)


def say(**message: Any) -> None:
    line = json.dumps(message)
    kind = next(iter(message))
    changes: Json = {
        "list": f"[{line}]",
        "banner": f"hello\n{line}",
        "blank line": f"\n{line}",
        "two kinds": line[:-1] + ',"checkpoint":{}}' if kind == "opened" else line,
        "key twice": line[:-2] + ',"protocol":3032023}}' if kind == "spec" else line,
        "proto names": line.replace("documentationUrl", "documentation_url"),
        "binding out of range": line.replace('"binding": 1', '"binding": 7'),
        "NaN": line.replace('"n": 4', '"n": NaN'),
    }
    end = "" if DEFECT == "no last newline" and kind == "discovered" else "\n"
    sys.stdout.write(changes.get(DEFECT, line) + end)
    sys.stdout.flush()


def validate(asked: Json) -> None:
    if DEFECT == "tells secrets":
        fail(f"{'x' * 200}: this config is not for me: {json.dumps(asked)}")
    bindings = asked.get("bindings", [])
    if not isinstance(bindings, list) or not all(isinstance(each, dict) for each in bindings):
        fail("bindings: want a list of objects")
    config = asked["config"]
    credentials = config.get("credentials") if isinstance(config, dict) else None
    if DEFECT != "any config" and not isinstance(
        (credentials or {}).get("token") if isinstance(credentials, dict) else None, str
    ):
        fail("config /credentials/token: want text")
    if DEFECT == "nothing came before" and "lastCapture" in asked:
        fail("cannot read the spec of before")
    paths = [[each["resourceConfig"]["name"]] for each in bindings]
    if DEFECT == "sorted answers":
        paths = sorted(paths)
    if DEFECT == "paths of its own":
        paths = [["series", *path] for path in paths]
    say(validated={"bindings": [{"resourcePath": path} for path in paths]})


def apply(asked: Json) -> None:
    rounds = asked.get("state", {}).get("rounds", 0)
    if DEFECT == "applies once" and LEFT.exists():
        fail("already applied")
    LEFT.touch()
    again = {"state": {"updated": {"rounds": rounds + 1}, "mergePatch": True}}
    told = {} if DEFECT == "says nothing of it" else {"actionDescription": f"round {rounds}"}
    say(applied={**told, **(again if rounds < 1 or DEFECT == "applies for ever" else {})})


class Session:
    def __init__(self, asked: Json) -> None:
        self.bindings = asked["capture"].get("bindings", [])
        self.state = asked["state"].get("bindingStateV1", {})
        owned = asked["range"]
        if DEFECT == "wants zeros":
            owned["keyBegin"]
        self.begin: int = owned.get("keyBegin", 0)
        self.end: int = owned.get("keyEnd", 0)
        self.unacknowledged = 0
        if DEFECT == "every binding starts over" and any(self.key(each) not in self.state for each in self.bindings):
            self.state = {}

    def key(self, binding: Json) -> str:
        if DEFECT == "state by number":
            return str(self.bindings.index(binding))
        return str(binding["resourceConfig"]["name"] if DEFECT == "state by name" else binding["stateKey"])

    def owns(self, name: str) -> bool:
        if DEFECT == "first shard does all":
            return self.begin == 0
        if DEFECT == "shards overlap" and name == "numbers":
            return True
        if DEFECT == "shards leave out" and name == "numbers":
            return self.end - self.begin == FULL
        middle = FULL // 4 if name == "numbers" else FULL // 4 * 3
        return self.begin <= middle <= self.end

    def run(self) -> None:
        if DEFECT == "wants bindings":
            self.bindings[0]
        if DEFECT == "waits for the end of stdin":
            sys.stdin.read()
        if DEFECT == "early document":
            say(captured={"doc": {"n": 0}})
        if DEFECT == "slow start":
            signal.sigtimedwait({signal.SIGUSR1}, 1.5)
        say(opened={} if DEFECT == "no acknowledgements" else {"explicitAcknowledgements": True})
        for index, binding in enumerate(self.bindings):
            if self.owns(binding["resourceConfig"]["name"]):
                self.binding(index, binding)
        if DEFECT == "no last checkpoint" and self.bindings:
            say(captured={"binding": 0, "doc": {"n": 77}})
        if DEFECT == "bad end":
            fail("no more to do")
        if DEFECT == "answer amid":
            say(applied={})

    def binding(self, index: int, binding: Json) -> None:
        name, key = binding["resourceConfig"]["name"], self.key(binding)
        first = self.state.get(key, 0)
        if DEFECT == "gap" and first:
            first += 1
        if (self.begin == 0 or DEFECT == "every shard marks") and DEFECT != "complete alone":
            say(backfillBegin={"binding": index})
        schema = DOCUMENT if DEFECT == "open schema" else CLOSED
        say(sourcedSchema={"binding": index, "documentSchema": schema})
        for n in range(first, COUNTS[name]):
            self.captured(index, n)
            if n % 2:
                self.checkpoint(key, n + 1)
        self.checkpoint(key, COUNTS[name])
        if self.begin == 0 or DEFECT == "every shard marks":
            say(backfillComplete={"binding": index})

    def captured(self, index: int, n: int) -> None:
        changes: Json = {
            "text for a number": {"n": str(n)},
            "other key": {"m": n},
            "uuid": {"n": n, "_meta": {"uuid": "x"}},
            "large document": {"n": n, "text": "x" * (0 if n else 16_000_001)},
        }
        say(captured={"binding": index, "doc": changes.get(DEFECT, {"n": n})})

    def checkpoint(self, key: str, cursor: int) -> None:
        update = {"updated": {"bindingStateV1": {key: cursor}}, "mergePatch": True}
        self.state = {**self.state, key: cursor}
        changes: Json = {
            "nothing updated": {},
            "patch in words": {"mergePatch": "yes"},
            "nulls": {"mergePatch": False, "updated": {"bindingStateV1": self.state, "old": None}},
        }
        state = changes.get(DEFECT, {})
        say(checkpoint={"state": {**update, **state} if DEFECT != "nothing updated" else {}})
        if DEFECT in ("one acknowledgement each", "slow start"):
            self.unacknowledged += 1
        if DEFECT == "lock file":
            sys.stdin.readline()


def open_(asked: Json) -> None:
    if DEFECT == "lock file":
        if LOCK.exists():
            fail("another session is running")
        LOCK.touch()
    if DEFECT == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    session = Session(asked)
    session.run()
    if DEFECT == "deaf":
        signal.pause()
    if DEFECT in ("one acknowledgement each", "slow start"):
        for line in sys.stdin:
            count = json.loads(line)["acknowledge"]["checkpoints"]
            if count > 1 and DEFECT != "slow start":
                fail(f"{count} checkpoints at once")
            session.unacknowledged -= count
            if not session.unacknowledged:
                break
        else:
            fail(f"the end of stdin, and {session.unacknowledged} checkpoints are not acknowledged")
    if DEFECT == "lock file":
        LOCK.unlink()
    sys.exit(0)


def answer(kind: str, asked: Json) -> None:  # noqa: C901 -- a kind, or a defect, a branch
    if DEFECT == "known members" and "unheard" in asked:
        fail("unheard is not known")
    if DEFECT in ("logs secrets", "refers to its secrets"):
        log(f"config: {json.dumps(asked)}")
    if kind == "spec":
        if DEFECT == "wants a config":
            asked["config"]["credentials"]
        say(spec=spec())
    elif kind == "discover":
        if DEFECT == "no answer":
            sys.stderr.write("Traceback (most recent call last):\nValueError: no luck\n")
            sys.exit(0)
        say(discovered=discovered())
        if DEFECT == "two answers":
            say(discovered=discovered())
    elif kind == "validate":
        validate(asked)
    elif kind == "apply":
        apply(asked)
    elif kind == "open" and isinstance(asked.get("range", {}), dict):
        if not isinstance(asked["range"].get("keyBegin", 0), int):
            fail("the range begins at no number")
        open_(asked)
    else:
        fail(f"there is no {kind} now")


def main() -> None:
    if DEFECT == "no trace" and os.environ.get("LOG_LEVEL") == "trace":
        fail("no level trace")
    log("started", eventType="connectorStatus")
    try:
        for line in iter(sys.stdin.buffer.readline, b""):
            if DEFECT == "lenient":
                try:
                    kind, asked = next(iter(json.loads(line).items()))
                    answer(kind, asked)
                except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
                    continue
            else:
                answer(*message(line, fail))
            if DEFECT == "one request":
                break
    except (KeyError, IndexError) as error:
        fail(f"missing {error}")
    if DEFECT == "hangs":
        signal.pause()


if __name__ == "__main__":
    main()
