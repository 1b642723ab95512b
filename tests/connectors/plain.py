"""A capture in plain Python, which knows nothing of ours, nor of SIGTERM: numbers without end, a checkpoint each.

Config: `rounds` of apply that return state, `paths` of the bindings' resources, `fails` is the begin of the key range
of a shard that fails, and `silent` connectors never answer a `discover`.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

SCHEMA = {"type": "object"}
DOCUMENTS = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def say(**response: Any) -> None:
    sys.stdout.write(json.dumps(response) + "\n")
    sys.stdout.flush()


def apply(request: dict[str, Any]) -> None:
    done = request.get("state", {}).get("rounds", 0)
    again = {"state": {"updated": {"rounds": done + 1}, "mergePatch": True}}
    more = done < request["capture"]["config"].get("rounds", 0)
    say(applied={"actionDescription": f"round {done}", **(again if more else {})})


def capture(request: dict[str, Any]) -> None:
    config, owned = request["capture"]["config"], request.get("range", {})
    say(opened={})
    if owned.get("keyBegin", 0) == config.get("fails"):
        sys.exit("no luck")
    n = request["state"].get("n", 0)
    while True:
        say(captured={"doc": {"n": n, "from": owned.get("keyBegin", 0)}})
        n += 1
        say(checkpoint={"state": {"updated": {"n": n}, "mergePatch": True}})
        time.sleep(0.01)


def main() -> None:
    for line in sys.stdin:
        ((kind, asked),) = json.loads(line).items()
        if kind == "spec":
            pointers = {"documentationUrl": "https://example.com", "resourcePathPointers": ["/name"]}
            say(spec={"protocol": 3032023, "configSchema": SCHEMA, "resourceConfigSchema": SCHEMA, **pointers})
        elif kind == "validate":
            named = [[binding["resourceConfig"]["name"]] for binding in asked.get("bindings", [])]
            say(validated={"bindings": [{"resourcePath": path} for path in asked["config"].get("paths", named)]})
        elif kind == "discover" and not asked["config"].get("silent"):
            found = {"recommendedName": "numbers", "resourceConfig": {"name": "numbers"}, "key": ["/n"]}
            say(discovered={"bindings": [{**found, "documentSchema": DOCUMENTS}]})
        elif kind == "apply":
            apply(asked)
        elif kind == "open":
            capture(asked)


if __name__ == "__main__":
    main()
