"""Small connectors in plain Python, good ones and defective ones, as subjects."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from python.acceptance.opening import opened
from python.acceptance.subject import Subject
from python.acceptance.talking import Limits

DEFECTS = Path(__file__).parent / "defects"
QUICK = Limits(seconds=20, quiet_seconds=0.4, stop_seconds=0.4)
IMPATIENT = Limits(seconds=2, quiet_seconds=0.4, stop_seconds=0.4)
TOKEN = "xK29-secret-of-the-config"
NAME = "acmeCo/defects"
Make = Callable[..., Subject]


def capture(folder: Path, defect: str, limits: Limits = QUICK) -> Subject:
    """The capture with this defect; "none" has none."""
    endpoint = _local("capture", defect, folder, {"credentials": {"token": TOKEN}})
    return _opened(folder, {"captures": {NAME: {"endpoint": endpoint, "bindings": []}}}, limits)


def derivation(folder: Path, defect: str, limits: Limits = QUICK) -> Subject:
    """The derivation with this defect."""
    properties = {"k": {"type": "string"}, "n": {"type": "integer"}}
    schema = {"type": "object", "properties": properties, "required": ["k", "n"]}
    collection = {"schema": schema, "key": ["/k"]}
    transforms = [{"name": "fromAll", "source": "acmeCo/all", "shuffle": {"key": ["/k"]}}]
    derive = {"using": _local("derivation", defect, folder, {}), "transforms": transforms}
    documents = [{"k": "a", "n": 1}, {"k": "b", "n": 2}, {"k": "a", "n": 3}]
    spec = {
        "collections": {"acmeCo/all": collection, NAME: {**collection, "derive": derive}},
        "tests": {"acmeCo/test": [{"ingest": {"collection": "acmeCo/all", "documents": documents}}]},
    }
    return _opened(folder, spec, limits)


def materialization(folder: Path, defect: str, limits: Limits = QUICK) -> Subject:
    """The materialization with this defect."""
    endpoint = _local("materialization", defect, folder, {})
    return _opened(folder, {"materializations": {NAME: {"endpoint": endpoint, "bindings": []}}}, limits)


def _local(kind: str, defect: str, folder: Path, config: object) -> dict[str, object]:
    # Without site packages and Python's environment, each of the many processes starts in a twentieth of a second.
    command = [sys.executable, "-E", "-s", "-S", str(DEFECTS / f"{kind}.py"), defect, str(folder / "left")]
    return {"local": {"command": command, "config": config}}


def _opened(folder: Path, spec: dict[str, object], limits: Limits) -> Subject:
    (folder / "test.flow.yaml").write_text(json.dumps(spec), encoding="utf-8")
    return opened(str(folder), limits=limits)
