"""`headwater test` on tests/connectors/totals.py: what is derived between steps, and how failures are told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.whole_spec import HEADWATER, NUMBERS, TOTALS, config, spec, write

pytestmark = pytest.mark.slow


def ingest(*numbers: int) -> dict[str, Any]:
    return {"ingest": {"collection": NUMBERS, "documents": [{"n": n} for n in numbers]}}


def verify(**totals: tuple[int, int]) -> dict[str, Any]:
    docs = [{"digit": digit[1:], "count": count, "sum": total} for digit, (count, total) in totals.items()]
    return {"verify": {"collection": TOTALS, "documents": docs}}


def run_on(folder: Path, tests: dict[str, Any], *arguments: str, **changes: Any) -> subprocess.CompletedProcess[str]:
    whole = spec(folder)
    config(whole, TOTALS).update(changes)
    write(folder, {**whole, "tests": tests})
    return run(folder, *arguments)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [HEADWATER, "test", "--source", "test.flow.yaml", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def test_each_test_begins_without_documents_and_without_state_in_one_process(tmp_path: Path) -> None:
    steps = [ingest(1, 2, 11), verify(d1=(2, 12), d2=(1, 2)), ingest(21), verify(d1=(3, 33), d2=(1, 2))]
    whole = spec(tmp_path)
    started = whole["collections"][TOTALS]["derive"]["using"]["local"]
    started["command"] = ["sh", "-c", 'echo x >> started; exec "$@"', "sh", *started["command"]]
    write(tmp_path, {**whole, "tests": {"a/first": steps, "a/second": steps, "a/third": [verify()]}})
    done = run(tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "PASS a/first\nPASS a/second\nPASS a/third\n3 passed, 0 failed\n"
    assert (tmp_path / "started").read_text() == "x\n" * 2, "one to validate, one for all tests"


def test_a_test_that_fails_does_not_keep_others_from_running(tmp_path: Path) -> None:
    tests = {"a/first": [ingest(1), verify(d1=(1, 2)), ingest(2)], "a/second": [ingest(1), verify(d1=(1, 1))]}
    done = run_on(tmp_path, tests)

    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"FAIL a/first: test.flow.yaml:1: {TOTALS} is not as expected",
        '  ["1"] /sum: want 2, got 1',
        "PASS a/second",
        "1 passed, 1 failed",
    ]


def test_a_test_by_name_runs_alone(tmp_path: Path) -> None:
    tests = {"a/first": [verify(d1=(1, 1))], "a/second": [verify()]}

    assert run_on(tmp_path, tests, "--name", "a/second").stdout == "PASS a/second\n1 passed, 0 failed\n"
    unknown = run(tmp_path, "--name", "a/secnd")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "defines no test 'a/secnd'; did you mean 'a/second'?; its tests are: a/first, a/second" in unknown.stderr


def test_a_spec_without_tests_is_told(tmp_path: Path) -> None:
    done = run_on(tmp_path, {})

    assert (done.returncode, done.stderr) == (
        1,
        "headwater: test.flow.yaml:1: defines no tests; add one under `tests`\n",
    )


def test_a_connector_that_dies_fails_its_test_and_is_started_anew(tmp_path: Path) -> None:
    done = run_on(tmp_path, {"a/bad": [ingest(7)], "a/good": [verify()], "a/bad2": [ingest(8)]}, mood="fail")

    assert done.returncode == 1
    bad, good, again, total = done.stdout.splitlines()
    assert bad.startswith("FAIL a/bad: the connector ended with exit status 1: ")
    assert "no luck with 7" in bad
    assert (good, total) == ("PASS a/good", "1 passed, 2 failed")
    assert "no luck with 8" in again
    assert "Traceback" not in done.stdout


def test_a_read_delay_holds_documents_back_until_they_are_verified(tmp_path: Path) -> None:
    whole = spec(tmp_path)
    transforms = [
        {"name": "first", "source": NUMBERS, "shuffle": {"key": ["/n"]}, "readDelay": "1h"},
        {"name": "second", "source": NUMBERS, "shuffle": {"key": ["/n"]}},
    ]
    whole["collections"][TOTALS]["derive"]["transforms"] = transforms
    expected = {"digit": "order", "last": "second 1, second 2, first 1, first 2"}
    steps = [ingest(1), ingest(2), {"verify": {"collection": TOTALS, "documents": [expected]}}]
    write(tmp_path, {**whole, "tests": {"a/t": steps}})
    done = run(tmp_path)

    assert done.stdout == "PASS a/t\n1 passed, 0 failed\n"


def test_a_derivation_of_a_derivation_is_settled_too(tmp_path: Path) -> None:
    whole = spec(tmp_path)
    using = whole["collections"][TOTALS]["derive"]["using"]
    echo = {"name": "echo", "source": TOTALS, "shuffle": {"key": ["/digit"]}, "readDelay": "5m"}
    schema = {"type": "object", "properties": {"digit": {"type": "string"}}, "required": ["digit"]}
    last = {"schema": schema, "key": ["/digit"], "derive": {"using": using, "transforms": [echo]}}
    whole["collections"] = {"acmeCo/last": last, **whole["collections"]}
    expected = {"collection": "acmeCo/last", "documents": [{"digit": "1", "echo": 12}]}
    write(tmp_path, {**whole, "tests": {"a/t": [ingest(1, 11), {"verify": expected}]}})

    assert run(tmp_path).stdout == "PASS a/t\n1 passed, 0 failed\n"


def test_derivations_that_never_settle_are_given_up(tmp_path: Path) -> None:
    whole = spec(tmp_path)
    itself = {"name": "echo", "source": TOTALS, "shuffle": {"key": ["/digit"]}}
    whole["collections"][TOTALS]["derive"]["transforms"] = [itself]
    step = {"ingest": {"collection": TOTALS, "documents": [{"digit": "1", "sum": 1}]}}
    write(tmp_path, {**whole, "tests": {"a/t": [step]}})
    done = run(tmp_path)

    assert done.returncode == 1
    assert done.stdout.startswith(f"FAIL a/t: {TOTALS}: still not settled after 1000 rounds; do they read one another?")


def test_a_derivation_that_is_disabled_is_told(tmp_path: Path) -> None:
    whole = spec(tmp_path)
    whole["collections"][TOTALS]["derive"]["shards"] = {"disable": True}
    write(tmp_path, {**whole, "tests": {"a/t": [ingest(1), verify()]}})
    done = run(tmp_path)

    assert done.stdout == "PASS a/t\n1 passed, 0 failed\n"
    assert done.stderr == f"{TOTALS}: not derived, since its `shards.disable` is true\n"


def test_a_wrong_document_keeps_every_test_from_running(tmp_path: Path) -> None:
    tests = {"a/first": [verify()], "a/second": [{"ingest": {"collection": NUMBERS, "documents": [{"n": "x"}]}}]}
    done = run_on(tmp_path, tests)

    assert (done.returncode, done.stdout) == (1, "")
    assert f"test.flow.yaml:1: document 1 cannot be ingested: {NUMBERS}: the document with key" in done.stderr


def test_a_signal_ends_the_tests_and_is_no_success(tmp_path: Path) -> None:
    whole = spec(tmp_path)
    config(whole, TOTALS)["pause_seconds"] = 2
    write(tmp_path, {**whole, "tests": {"a/t": [verify()], "a/u": [ingest(1)]}})
    command = [HEADWATER, "test", "--source", "test.flow.yaml"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "PASS a/t\n"
    os.kill(process.pid, signal.SIGTERM)
    _, told = process.communicate(timeout=100)

    assert process.returncode == 1
    assert "stopped; 1 of 2 tests have not ended" in told


def test_only_the_first_differences_are_told(tmp_path: Path) -> None:
    wanted = [{"n": n} for n in range(60)]
    step = {"verify": {"collection": NUMBERS, "documents": wanted, "description": "All of them."}}
    done = run_on(tmp_path, {"a/t": [step]})

    first, *rest = done.stdout.splitlines()
    assert first == f"FAIL a/t: test.flow.yaml:1: {NUMBERS} is not as expected (All of them.)"
    assert rest[49:] == [
        f"  [49] is missing: want {json.dumps({'n': 49}, separators=(',', ':'))}",
        "  and 10 more",
        "0 passed, 1 failed",
    ]
