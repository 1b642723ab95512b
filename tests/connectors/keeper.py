"""A capture that tells what it was given: its config with each text's digest, and the files that have a secret in them.

It looks while the runner waits for it, so what is written for a moment is found too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from python import capture

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
RESOURCE = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


class Keeper(capture.Connector[dict, dict, dict]):  # type: ignore[type-arg] # plain JSON
    config_schema = {"type": "object"}
    resource_config_schema = RESOURCE

    def discover(self, config: dict[str, Any]) -> Iterator[capture.DiscoveredBinding]:
        del config
        yield capture.discovered("told", SCHEMA, key=["/n"], resource={"name": "told"})

    def open(self, request: capture.Open[dict[str, Any], dict[str, Any], dict[str, Any]]) -> Iterator[Any]:
        secret = request.config["token"].encode()
        found = [
            str(path)
            for path in Path(request.config["look"]).rglob("*")
            if path.is_file() and secret in path.read_bytes()
        ]
        for binding in request.bindings:
            yield binding.captured({"n": 1, "found": found, "given": digests(request.config)})
            yield binding.checkpoint({"done": True})


def digests(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: digests(each) for name, each in value.items()}
    if isinstance(value, list):
        return [digests(each) for each in value]
    return hashlib.sha256(value.encode()).hexdigest() if isinstance(value, str) else value


if __name__ == "__main__":
    Keeper().main()
