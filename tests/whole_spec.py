"""A whole spec of test connectors: numbers are captured, totals derived, both are materialized; and how to run it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conversing import ROOT

HEADWATER = str(Path(sys.executable).parent / "headwater")
CONNECTORS = ROOT / "tests" / "connectors"
NUMBERS, TOTALS, CAPTURE, SHELF = "acmeCo/numbers", "acmeCo/totals", "acmeCo/counter", "acmeCo/shelf"
SUMMED = {"type": "integer", "reduce": {"strategy": "sum"}}


def local(connector: str, config: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, str(CONNECTORS / connector)]
    return {"local": {"command": command, "config": config, "env": {"PYTHONPATH": str(ROOT)}}}


def spec(folder: Path, **config: Any) -> dict[str, Any]:
    """The spec, to be changed by a test and written by `write`. `config` is the capture's."""
    numbers = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    totals = {
        "type": "object",
        "reduce": {"strategy": "merge"},
        "properties": {"digit": {"type": "string"}, "count": SUMMED, "sum": {"type": "integer"}},
        "required": ["digit"],
    }
    return {
        "captures": {
            CAPTURE: {
                "endpoint": local("counter.py", {"count": 100, "batch": 10, **config}),
                "bindings": [{"resource": {"name": "numbers"}, "target": NUMBERS}],
                "shards": {"minTxnDuration": "0s"},
            }
        },
        "collections": {
            NUMBERS: {"schema": numbers, "key": ["/n"]},
            TOTALS: {
                "schema": totals,
                "key": ["/digit"],
                "derive": {
                    "using": local("totals.py", {}),
                    "transforms": [{"name": "numbers", "source": NUMBERS, "shuffle": {"key": ["/n"]}}],
                },
            },
        },
        "materializations": {
            SHELF: {
                "endpoint": local("sqlite_shelf.py", {"path": str(folder / "shelf.sqlite")}),
                "bindings": [
                    {"resource": {"table": "numbers"}, "source": NUMBERS},
                    {"resource": {"table": "totals"}, "source": TOTALS},
                ],
            }
        },
    }


def config(spec: dict[str, Any], task: str) -> dict[str, Any]:
    """The config of a task in the spec."""
    if task == TOTALS:
        found: dict[str, Any] = spec["collections"][TOTALS]["derive"]["using"]["local"]["config"]
    else:
        found = spec["captures" if task == CAPTURE else "materializations"][task]["endpoint"]["local"]["config"]
    return found


def write(folder: Path, spec: dict[str, Any]) -> None:
    (folder / "test.flow.yaml").write_text(json.dumps(spec))


def command(*arguments: str) -> list[str]:
    return [HEADWATER, "run", "--source", "test.flow.yaml", "--store", "store.duckdb", *arguments]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), cwd=folder, capture_output=True, text=True, check=False, timeout=180)


def shelf(folder: Path, table: str) -> dict[str, Any]:
    """What is materialized, by key."""
    with sqlite3.connect(folder / "shelf.sqlite") as db:
        rows = db.execute("select key, doc from documents where place = ?", [table]).fetchall()
    return {"/".join(map(str, json.loads(key))): json.loads(doc) for key, doc in rows}


def expected_totals(count: int) -> dict[str, Any]:
    """What the totals of the first `count` numbers are."""
    numbers = {str(digit): [n for n in range(count) if n % 10 == digit] for digit in range(10)}
    return {
        digit: {"digit": digit, "count": len(found), "sum": sum(found)} for digit, found in numbers.items() if found
    }
