"""`headwater run` on tests/connectors/counter.py, as a process, against a store that is then looked into."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conversing import NUMBERS, ROOT

HEADWATER = str(Path(sys.executable).parent / "headwater")
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def write_spec(folder: Path, schema: dict[str, Any] | None = None, **config: Any) -> Path:
    """A spec of one capture of numbers. `config` is the connector's, but for `shards`, which are the capture's."""
    shards = config.pop("shards", {})
    local = {"command": NUMBERS, "config": config, "env": {"PYTHONPATH": str(ROOT)}}
    binding = {"resource": {"name": "numbers"}, "target": "acmeCo/numbers"}
    spec = {
        "captures": {"acmeCo/counter": {"endpoint": {"local": local}, "bindings": [binding], "shards": shards}},
        "collections": {"acmeCo/numbers": {"schema": schema or SCHEMA, "key": ["/n"]}},
    }
    path = folder / "test.flow.yaml"
    path.write_text(json.dumps(spec))
    return path


def headwater(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([HEADWATER, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return headwater("run", "--source", "test.flow.yaml", "--store", "store.duckdb", cwd=folder)


def numbers(folder: Path) -> list[int]:
    with duckdb.connect(str(folder / "store.duckdb"), read_only=True) as db:
        return [row[0] for row in db.execute('select n from "acmeCo/numbers" order by n').fetchall()]


def test_a_run_captures_and_the_next_one_resumes(tmp_path: Path) -> None:
    write_spec(tmp_path, count=3)
    first = run(tmp_path)
    write_spec(tmp_path, count=5)
    second = run(tmp_path)

    assert (first.returncode, second.returncode) == (0, 0)
    assert "3 documents committed" in first.stdout
    assert "2 documents committed" in second.stdout
    assert numbers(tmp_path) == [0, 1, 2, 3, 4]


def test_a_query_reads_what_was_captured(tmp_path: Path) -> None:
    write_spec(tmp_path, count=2)
    run(tmp_path)
    found = headwater(
        "sql", "--store", "store.duckdb", "--json", 'select n from "acmeCo/numbers" order by n', cwd=tmp_path
    )

    assert [json.loads(line) for line in found.stdout.splitlines()] == [{"n": 0}, {"n": 1}]


def test_a_failing_connector_is_told_and_its_complete_sequences_stay(tmp_path: Path) -> None:
    write_spec(tmp_path, count=2, mood="forget the checkpoint")
    done = run(tmp_path)

    assert done.returncode == 1
    assert "rule 53" in done.stderr.splitlines()[-1]
    assert numbers(tmp_path) == [0, 1]


def test_a_document_against_the_schema_commits_nothing_of_its_sequence(tmp_path: Path) -> None:
    schema = {**SCHEMA, "properties": {"n": {"type": "integer", "maximum": 3}}}
    write_spec(tmp_path, schema, count=6, batch=2)
    done = run(tmp_path)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "acmeCo/numbers" in done.stderr.splitlines()[-1]
    assert "/n" in done.stderr.splitlines()[-1]
    assert numbers(tmp_path) == [0, 1, 2, 3]


def test_a_transaction_is_as_long_as_the_capture_says(tmp_path: Path) -> None:
    write_spec(tmp_path, count=3, pause_seconds=0.6, shards={"minTxnDuration": "1h"})
    run(tmp_path)

    with duckdb.connect(str(tmp_path / "store.duckdb"), read_only=True) as db:
        assert db.execute("select transactions from headwater.tasks").fetchone() == (1,)


def test_a_disabled_capture_is_skipped_with_a_line(tmp_path: Path) -> None:
    write_spec(tmp_path, count=0, shards={"disable": True})
    done = run(tmp_path)

    assert (done.returncode, done.stderr) == (0, "acmeCo/counter: skipped, since its `shards.disable` is true\n")
    previewed = headwater("preview", "--source", "test.flow.yaml", cwd=tmp_path)
    assert previewed.returncode == 1
    assert "acmeCo/counter is not to run, since its `shards.disable` is true" in previewed.stderr


def test_a_run_stops_once_nobody_reads_what_it_tells(tmp_path: Path) -> None:
    write_spec(tmp_path, count=5, mood="log the unspeakable")
    arguments = ["run", "--source", "test.flow.yaml", "--store", "store.duckdb"]
    process = subprocess.Popen([HEADWATER, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stderr
    assert process.stdout
    process.stderr.readline()
    process.stderr.close()
    process.stdout.close()

    assert process.wait(120) == 141


def test_logs_name_the_shard_that_they_come_from(tmp_path: Path) -> None:
    write_spec(tmp_path, count=1, mood="log the unspeakable")
    done = headwater(
        "run", "--source", "test.flow.yaml", "--store", "x.duckdb", "--log-json", "--shards", "2", cwd=tmp_path
    )
    logs = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]

    assert {log["shard"]["keyBegin"] for log in logs if "it is" in log["message"]} == {"00000000", "80000000"}


def test_a_bad_config_is_one_sentence(tmp_path: Path) -> None:
    write_spec(tmp_path, count=0)
    done = run(tmp_path)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("config /count: got 0, want greater than or equal to 1")


def test_apply_that_does_not_converge_is_given_up(tmp_path: Path) -> None:
    write_spec(tmp_path, count=1, mood="never applied")
    done = run(tmp_path)

    assert done.returncode == 1
    assert "apply does not converge" in done.stderr
    assert "rule 46" in done.stderr


def test_no_config_is_kept_in_the_store(tmp_path: Path) -> None:
    write_spec(tmp_path, count=1, token="sesame-of-tests")
    assert run(tmp_path).returncode == 0

    assert b"sesame-of-tests" not in (tmp_path / "store.duckdb").read_bytes()


def test_a_store_that_is_no_store_is_a_sentence(tmp_path: Path) -> None:
    write_spec(tmp_path, count=1)
    (tmp_path / "store.duckdb").write_text("hello" * 10_000)
    done = run(tmp_path)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "store.duckdb" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--sessions", "1"], '["acmeCo/numbers",{"n":0,"_meta":{"uuid":"DocUUIDPlaceholder-329Bb50aa48EAa9ef"}}]'),
        (["--output-apply"], '["applied.actionDescription", ""]'),
        (
            ["--output-state"],
            '["connectorState",{"updated":{"bindingStateV1":{"numbers":{"n":1}}},"mergePatch":true}]',
        ),
        (["--output-state"], '["connectorState",{"updated":{"bindingStateV1":{"numbers":{"n":1}}}}]'),
        (
            ["--initial-state", '{"bindingStateV1":{"numbers":{"n":0}}}'],
            '["acmeCo/numbers",{"n":1,"_meta":{"uuid":"DocUUIDPlaceholder-329Bb50aa48EAa9ef"}}]',
        ),
    ],
)
def test_preview_prints_what_flowctl_prints(tmp_path: Path, arguments: list[str], line: str) -> None:
    write_spec(tmp_path, count=2)
    done = headwater("preview", "--source", "test.flow.yaml", *arguments, cwd=tmp_path)

    assert done.returncode == 0
    assert line in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["preview", "--source", "gone.flow.yaml"], "gone.flow.yaml"),
        (["preview", "--source", "test.flow.yaml", "--name", "acmeCo/gone"], "acmeCo/gone"),
        (["preview", "--source", "test.flow.yaml", "--sessions", "x"], "--sessions is 'x'"),
        (["preview", "--source", "test.flow.yaml", "--initial-state", "{"], "--initial-state is not JSON"),
        (["preview", "--source", "test.flow.yaml", "--timeout", "soon"], "--timeout"),
        (["sql", "select 1", "--store", "gone.duckdb"], "there is no store gone.duckdb"),
    ],
)
def test_a_wrong_call_is_one_sentence(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    write_spec(tmp_path, count=1)
    done = headwater(*arguments, cwd=tmp_path)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_preview_stops_when_its_time_is_over(tmp_path: Path) -> None:
    write_spec(tmp_path, count=10_000, pause_seconds=0.05)
    done = headwater("preview", "--source", "test.flow.yaml", "--timeout", "4s", cwd=tmp_path)

    assert done.returncode == 0
    assert 0 < len(done.stdout.splitlines()) < 1000


def test_raw_spec_and_discover_print_a_line_each(tmp_path: Path) -> None:
    write_spec(tmp_path, count=1)
    spec = headwater("raw", "spec", "--source", "test.flow.yaml", cwd=tmp_path)
    found = headwater("raw", "discover", "--source", "test.flow.yaml", "--emit-raw", "-o", "json", cwd=tmp_path)

    assert json.loads(spec.stdout)["protocol"] == 3032023
    assert json.loads(found.stdout)["recommendedName"] == "numbers"


def test_continuous_runs_start_again_at_the_interval_and_stop_when_asked(tmp_path: Path) -> None:
    spec = json.loads(write_spec(tmp_path, count=3).read_text())
    spec["captures"]["acmeCo/counter"]["interval"] = "1s"
    (tmp_path / "test.flow.yaml").write_text(json.dumps(spec))
    command = [HEADWATER, "run", "--continuous", "--source", "test.flow.yaml", "--store", "store.duckdb"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    sessions = 0
    while sessions < 2:
        sessions += "capturing 1 bindings" in process.stderr.readline()
    process.terminate()
    _, told = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "Traceback" not in told
    assert numbers(tmp_path) == [0, 1, 2]
