"""`headwater run` plays a whole spec: capture, collection, derivation, collection, materialization."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.whole_spec import (
    CAPTURE,
    NUMBERS,
    SHELF,
    TOTALS,
    command,
    config,
    expected_totals,
    run,
    shelf,
    spec,
    write,
)

pytestmark = pytest.mark.slow


def stored(folder: Path, collection: str = TOTALS) -> dict[str, Any]:
    with duckdb.connect(str(folder / "store.duckdb"), read_only=True) as db:
        rows = db.execute(f'select flow_document::varchar from "{collection}"').fetchall()  # noqa: S608 -- ours
    docs = [json.loads(row[0]) for row in rows]
    return {str(doc["digit"] if collection == TOTALS else doc["n"]): doc for doc in docs}


def record(folder: Path, task: str) -> dict[str, Any]:
    with duckdb.connect(str(folder / "store.duckdb"), read_only=True) as db:
        found = db.execute("select * from headwater.tasks where name = $1", [task])
        names = [column[0] for column in found.description]
        return dict(zip(names, found.fetchall()[0], strict=True))


@pytest.mark.parametrize("authority", ["endpoint", "runtime"])
def test_a_spec_runs_to_its_end_and_the_next_run_goes_on_where_it_ended(tmp_path: Path, authority: str) -> None:
    whole = spec(tmp_path)
    config(whole, SHELF)["authority"] = authority
    write(tmp_path, whole)
    first = run(tmp_path)
    config(whole, CAPTURE)["count"] = 145
    write(tmp_path, whole)
    second = run(tmp_path)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert stored(tmp_path) == shelf(tmp_path, "totals") == expected_totals(145)
    assert shelf(tmp_path, "numbers") == {str(n): {"n": n} for n in range(145)}
    assert record(tmp_path, TOTALS)["read"] == 145
    assert f"{TOTALS}: 145 documents read and 145 written, up to now" in second.stdout


def test_shards_give_the_same_and_their_number_stays(tmp_path: Path) -> None:
    write(tmp_path, spec(tmp_path))
    captured = run(tmp_path, "--name", CAPTURE)
    derived = run(tmp_path, "--name", TOTALS, "--shards", "3")
    stored_ = run(tmp_path, "--name", SHELF, "--shards", "2")
    refused = run(tmp_path, "--name", TOTALS)

    assert [done.returncode for done in (captured, derived, stored_)] == [0, 0, 0]
    counts = {digit: doc["count"] for digit, doc in stored(tmp_path).items()}
    assert counts == {str(digit): 10 for digit in range(10)}
    assert shelf(tmp_path, "totals") == stored(tmp_path)
    assert len(shelf(tmp_path, "numbers")) == 100
    assert refused.returncode == 1
    assert "first run with 3 shards" in refused.stderr


def test_a_task_that_fails_does_not_stop_the_others_and_is_remembered(tmp_path: Path) -> None:
    whole = spec(tmp_path)
    config(whole, TOTALS)["mood"] = "fail"
    write(tmp_path, whole)
    done = run(tmp_path)

    assert done.returncode == 1
    assert f"headwater: {TOTALS}: the connector ended with exit status 1: " in done.stderr
    assert len(shelf(tmp_path, "numbers")) == 100
    assert "no luck with 0" in record(tmp_path, TOTALS)["error"]
    assert record(tmp_path, SHELF)["error"] == ""


def test_a_task_that_cannot_be_built_does_not_stop_the_others(tmp_path: Path) -> None:
    whole = spec(tmp_path)
    whole["collections"][TOTALS]["schema"]["properties"]["digit"]["pattern"] = "("
    write(tmp_path, whole)
    done = run(tmp_path)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for task in (TOTALS, SHELF):
        assert f"headwater: {task}: test.flow.yaml:1: collection {TOTALS}: schema " in done.stderr
    assert "100 documents committed" in done.stdout


def test_a_raised_backfill_counter_fills_the_resource_anew(tmp_path: Path) -> None:
    whole = spec(tmp_path)
    write(tmp_path, whole)
    assert run(tmp_path).returncode == 0
    with sqlite3.connect(tmp_path / "shelf.sqlite") as db:
        db.execute("update documents set doc = '{\"n\":-1}' where key = '[7]'")
    whole["materializations"][SHELF]["bindings"][0]["backfill"] = 1
    write(tmp_path, whole)
    done = run(tmp_path)

    assert f"{SHELF}: applied: emptied numbers" in done.stderr
    assert shelf(tmp_path, "numbers") == {str(n): {"n": n} for n in range(100)}
    assert shelf(tmp_path, "totals") == expected_totals(100)


def _entry(whole: dict[str, Any], task: str) -> dict[str, Any]:
    if task == TOTALS:
        found: dict[str, Any] = whole["collections"][TOTALS]["derive"]["transforms"][0]
    else:
        found = whole["captures" if task == CAPTURE else "materializations"][task]["bindings"][0]
    return found


@pytest.mark.parametrize(
    ("task", "what"),
    [
        (CAPTURE, f"the binding of numbers into {NUMBERS}"),
        (TOTALS, "the transform numbers"),
        (SHELF, f"the binding of {NUMBERS} to numbers"),
    ],
)
def test_a_lowered_backfill_counter_is_refused_before_anything_is_changed(tmp_path: Path, task: str, what: str) -> None:
    whole = spec(tmp_path)
    _entry(whole, task)["backfill"] = 2
    write(tmp_path, whole)
    assert run(tmp_path).returncode == 0
    _entry(whole, task)["backfill"] = 1
    write(tmp_path, whole)
    done = run(tmp_path)

    assert done.returncode == 1
    assert f"test.flow.yaml:1: {what} has the `backfill` counter 1, and had 2 before" in done.stderr
    assert "set it to 2 to go on, or to 3 to begin anew" in done.stderr
    assert shelf(tmp_path, "totals") == stored(tmp_path) == expected_totals(100)
    assert len(shelf(tmp_path, "numbers")) == 100


@pytest.mark.parametrize("policy", ["backfill", "abort"])  # test_materialize_build has the others
def test_what_does_not_fit_any_more_is_dealt_with_as_the_spec_says(tmp_path: Path, policy: str) -> None:
    whole = spec(tmp_path)
    write(tmp_path, whole)
    assert run(tmp_path).returncode == 0
    config(whole, SHELF)["incompatible"] = ["count"]
    config(whole, CAPTURE)["count"] = 110
    whole["materializations"][SHELF]["onIncompatibleSchemaChange"] = policy
    write(tmp_path, whole)
    done = run(tmp_path)

    assert f"{TOTALS} does not fit totals: the resource has the field 'count'" in done.stderr
    assert done.returncode == (policy == "abort")
    assert shelf(tmp_path, "totals") == expected_totals(110 if policy == "backfill" else 100)
    assert len(shelf(tmp_path, "numbers")) == (110 if policy == "backfill" else 100)


def test_a_table_that_is_gone_is_told_and_filled_once_the_counter_is_raised(tmp_path: Path) -> None:
    whole = spec(tmp_path)
    shelf_ = whole["materializations"][SHELF]
    local = shelf_["endpoint"]["local"]
    local.update(command=[sys.executable, "-m", "materialize-sqlite"], config={"path": str(tmp_path / "a.sqlite")})
    shelf_["onIncompatibleSchemaChange"] = "abort"
    write(tmp_path, whole)
    assert run(tmp_path).returncode == 0
    with sqlite3.connect(tmp_path / "a.sqlite") as db:
        db.execute("drop table numbers")
    refused = run(tmp_path)
    shelf_["bindings"][0]["backfill"] = 1
    write(tmp_path, whole)
    done = run(tmp_path)

    assert refused.returncode == 1
    assert f"headwater: {SHELF}: test.flow.yaml:1: {NUMBERS} does not fit numbers: " in refused.stderr
    assert "is gone, or is not where the config says" in refused.stderr
    assert "raise the binding's `backfill` counter to 1" in refused.stderr
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(tmp_path / "a.sqlite") as db:
        assert db.execute("select count(*) from numbers").fetchone() == (100,)


def test_a_resource_that_was_emptied_by_an_apply_that_was_killed_is_filled(tmp_path: Path) -> None:
    whole = spec(tmp_path)
    write(tmp_path, whole)
    assert run(tmp_path).returncode == 0
    config(whole, SHELF).update(incompatible=["count"], dies_applying=True)
    write(tmp_path, whole)
    killed = run(tmp_path)
    assert killed.returncode == 1
    assert shelf(tmp_path, "totals") == {}
    config(whole, SHELF).update(incompatible=[], dies_applying=False)
    write(tmp_path, whole)
    done = run(tmp_path)

    assert done.returncode == 0, done.stderr
    assert shelf(tmp_path, "totals") == expected_totals(100)


def test_documents_are_only_added_with_delta_updates(tmp_path: Path) -> None:
    whole = spec(tmp_path)
    whole["materializations"][SHELF]["bindings"][1]["resource"]["delta"] = True
    whole["materializations"][SHELF]["bindings"][1]["fields"] = {"recommended": True, "require": {"flow_document": {}}}
    write(tmp_path, whole)
    assert run(tmp_path).returncode == 0
    config(whole, CAPTURE)["count"] = 103
    write(tmp_path, whole)
    assert run(tmp_path).returncode == 0
    with sqlite3.connect(tmp_path / "shelf.sqlite") as db:
        added = [json.loads(row[0]) for row in db.execute("select doc from added where place = 'totals'")]

    counts = {digit: sum(doc["count"] for doc in added if doc["digit"] == digit) for digit in ("0", "1", "9")}
    assert counts == {"0": 11, "1": 11, "9": 10}
    assert len(added) > 10


def test_an_endpoint_that_another_store_has_filled_is_refused(tmp_path: Path) -> None:
    write(tmp_path, spec(tmp_path))
    assert run(tmp_path).returncode == 0
    (tmp_path / "store.duckdb").unlink()
    done = run(tmp_path)

    assert done.returncode == 1
    assert f"test.flow.yaml:1: the endpoint holds documents of {NUMBERS} from another store" in done.stderr
    assert "raise the binding's `backfill` counter to 1" in done.stderr
    assert shelf(tmp_path, "totals") == expected_totals(100)


def test_a_continuous_run_reads_what_comes_until_it_is_stopped(tmp_path: Path) -> None:
    write(tmp_path, spec(tmp_path, count=100_000, pause_seconds=0.01))
    process = subprocess.Popen(
        command("--continuous"), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 90
    while not (tmp_path / "shelf.sqlite").exists() or not _rows(tmp_path):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=90)

    assert process.returncode == 0, told
    assert "Traceback" not in told
    assert 0 < len(shelf(tmp_path, "totals")) <= 10


def _rows(folder: Path) -> int:
    try:
        return len(shelf(folder, "totals"))
    except sqlite3.OperationalError:
        return 0
