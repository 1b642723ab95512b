"""What a connector answers to the config of its test.flow.yaml, as the commands of `headwater` print it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.conversing import ROOT, converse

SECONDS_MAX = 300
PREVIEW = ("--timeout", "60s")
RUN = "from python.cli import main; main()"

Json = Any


def headwater(*arguments: str) -> str:
    """What the command prints. A connector that fails is a failure here, with what it has logged."""
    own = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", RUN, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=False, timeout=SECONDS_MAX)
    assert done.returncode == 0, done.stderr
    return done.stdout


def spec(name: str) -> Json:
    """The answer to `spec` of the capture `name`, a folder of this repository."""
    return json.loads(headwater("raw", "spec", *_source(name)))


def discovered(name: str) -> list[Json]:
    """The bindings that the capture discovers."""
    return _lines(headwater("raw", "discover", "--emit-raw", *_source(name)))


def captured(name: str) -> dict[str, list[Json]]:
    """The first document of each collection."""
    found: dict[str, list[Json]] = {}
    for collection, document in _lines(headwater("preview", *PREVIEW, *_source(name))):
        found.setdefault(collection, [document])
    return found


def shapes(name: str) -> dict[str, list[Json]]:
    """The JSON types in the first document of each collection: for a source whose values are never the same."""
    return {
        collection: [_shape(document) for document in documents] for collection, documents in captured(name).items()
    }


def answered(name: str) -> Json:
    """The answer to `spec` of any connector of this repository."""
    ended = converse([str(ROOT / name / ".venv" / "bin" / "python"), "-m", name], {"spec": {}})
    assert ended.status == 0, ended.stderr
    return ended.responses[0]


def _source(name: str) -> tuple[str, str]:
    return "--source", f"{name}/test.flow.yaml"


def _lines(text: str) -> list[Json]:
    return [json.loads(line) for line in text.splitlines()]


def _shape(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _shape(item) for name, item in value.items()}
    return type(value).__name__
