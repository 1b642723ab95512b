"""`headwater preview` on tests/connectors/plain.py, which ends when it is made to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conversing import ROOT

pytestmark = pytest.mark.slow
HEADWATER = str(Path(sys.executable).parent / "headwater")
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
PLAIN = [sys.executable, str(ROOT / "tests" / "connectors" / "plain.py")]


def write_spec(folder: Path, **config: Any) -> None:
    binding = {"resource": {"name": "numbers"}, "target": "acmeCo/numbers"}
    endpoint = {"local": {"command": PLAIN, "config": config}}
    spec = {
        "captures": {"acmeCo/plain": {"endpoint": endpoint, "bindings": [binding]}},
        "collections": {"acmeCo/numbers": {"schema": SCHEMA, "key": ["/n"]}},
    }
    (folder / "test.flow.yaml").write_text(json.dumps(spec))


def preview(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [HEADWATER, "preview", "--source", "test.flow.yaml", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def lines(done: subprocess.CompletedProcess[str]) -> list[list[Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_time_limit_ends_a_connector_that_knows_no_signals_gracefully(tmp_path: Path) -> None:
    write_spec(tmp_path)
    done = preview(tmp_path, "--timeout", "1s", "--output-state")
    said = lines(done)

    assert (done.returncode, done.stderr) == (0, "")
    documents = [line[1] for line in said if line[0] == "acmeCo/numbers"]
    assert documents[0]["n"] == 0
    assert said[-1] == ["connectorState", {"updated": {"n": documents[-1]["n"] + 1}}]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_preview_and_its_connector(tmp_path: Path, number: signal.Signals) -> None:
    write_spec(tmp_path)
    command = [HEADWATER, "preview", "--source", "test.flow.yaml", "--output-state"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    process.stdout.readline()
    [connector] = psutil.Process(process.pid).children()
    process.send_signal(number)
    rest = process.stdout.read()

    assert process.wait(60) == 0
    assert json.loads(rest.splitlines()[-1])[0] == "connectorState"
    assert not connector.is_running()


def test_shards_run_at_once_each_from_a_state_of_its_own(tmp_path: Path) -> None:
    write_spec(tmp_path)
    said = lines(preview(tmp_path, "--shards", "2", "--sessions", "1,1"))
    first = {begin: [line[1]["n"] for line in said if line[1]["from"] == begin] for begin in (0, 2**31)}

    assert first[0][0] == first[2**31][0] == 0
    assert all(numbers == list(range(len(numbers))) for numbers in first.values())


def test_a_failing_shard_ends_the_others_and_is_told(tmp_path: Path) -> None:
    write_spec(tmp_path, fails=2**31)
    done = preview(tmp_path, "--shards", "2")

    assert done.returncode == 1
    assert "the connector ended with exit status 1: no luck" in done.stderr


def test_apply_comes_again_until_it_returns_no_state(tmp_path: Path) -> None:
    write_spec(tmp_path, rounds=2)
    said = lines(preview(tmp_path, "--output-apply", "--output-state", "--sessions", "1"))

    assert [line[1] for line in said if line[0] == "applied.actionDescription"] == ["round 0", "round 1", "round 2"]
    assert said[-1][1]["updated"]["rounds"] == 2


def test_apply_that_never_ends_is_given_up(tmp_path: Path) -> None:
    write_spec(tmp_path, rounds=9)
    done = preview(tmp_path)

    assert done.returncode == 1
    assert "rule 46" in done.stderr


def test_several_captures_are_told_with_the_flag_that_chooses(tmp_path: Path) -> None:
    write_spec(tmp_path)
    spec = json.loads((tmp_path / "test.flow.yaml").read_text())
    spec["captures"]["acmeCo/other"] = spec["captures"]["acmeCo/plain"]
    (tmp_path / "test.flow.yaml").write_text(json.dumps(spec))

    assert "choose one with --name: acmeCo/other, acmeCo/plain" in preview(tmp_path).stderr


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ({**SCHEMA, "patternProperties": {"(": {}}}, "test.flow.yaml:1: collection acmeCo/numbers: schema"),
        ({**SCHEMA, "properties": {"n": {"type": "integer", "redact": {"strategy": "block"}}}}, "/properties/n/redact"),
    ],
)
def test_a_schema_that_cannot_be_used_is_told_with_its_file(
    tmp_path: Path, schema: dict[str, Any], sentence: str
) -> None:
    write_spec(tmp_path)
    spec = json.loads((tmp_path / "test.flow.yaml").read_text())
    spec["collections"]["acmeCo/numbers"]["schema"] = schema
    (tmp_path / "test.flow.yaml").write_text(json.dumps(spec))
    done = preview(tmp_path)

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert sentence in done.stderr
