"""Talking to a connector process by hand, line by line, as Flow's runtime does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
NUMBERS = [sys.executable, str(ROOT / "tests" / "connectors" / "counter.py")]
SECONDS_MAX = 60


class Ended(NamedTuple):
    status: int
    responses: list[dict[str, Any]]
    logs: list[dict[str, Any]]
    stderr: str

    @property
    def kinds(self) -> list[str]:
        return [next(iter(response)) for response in self.responses]

    @property
    def reason(self) -> str:
        return str(self.logs[-1]["message"])


def start(command: list[str], **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
    )


def converse(command: list[str], *requests: dict[str, Any], **env: str) -> Ended:
    """Send all requests at once, close stdin, and wait for the end."""
    return ended(start(command, **env), *requests)


def ended(process: subprocess.Popen[str], *requests: dict[str, Any]) -> Ended:
    """Send the requests, if any, close stdin, and wait for the end. Every line of both pipes has to be JSON.

    Python's own reading of NaN and Infinity, and of a key that comes twice, is no JSON (rules 6 and 12).
    """
    stdout, stderr = process.communicate("".join(json.dumps(request) + "\n" for request in requests), SECONDS_MAX)
    return Ended(
        process.returncode,
        [strictly(line) for line in stdout.splitlines()],
        [strictly(line) for line in stderr.splitlines()],
        stderr,
    )


def strictly(line: str) -> Any:
    """The JSON value of `line`, which has no NaN, no Infinity, and no key twice in one object."""
    return json.loads(line, parse_constant=_refuse, object_pairs_hook=_unique)


def _refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(pairs) == len(dict(pairs)), pairs
    return dict(pairs)


def open_numbers(state: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    """An `open` of tests/connectors/counter.py, zero values omitted as on the wire."""
    binding = {
        "resourceConfig": {"name": "numbers"},
        "resourcePath": ["numbers"],
        "collection": {"name": "acmeCo/numbers", "key": ["/n"]},
        "stateKey": "numbers",
    }
    spec = {"name": "acmeCo/capture", "connectorType": "LOCAL", "config": config, "bindings": [binding]}
    return {"open": {"capture": spec, "range": {"keyEnd": 4294967295}, "state": state or {}}}
