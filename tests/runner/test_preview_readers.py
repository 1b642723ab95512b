"""`headwater preview` of a derivation and of a materialization, on fixtures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.whole_spec import CAPTURE, HEADWATER, NUMBERS, SHELF, TOTALS, config, shelf, spec, write

pytestmark = pytest.mark.slow


def lines_of(*transactions: list[int]) -> str:
    """A fixture: of each transaction, the numbers."""
    found = ["".join(f'["{NUMBERS}",{{"n":{n}}}]\n' for n in numbers) + '{"commit":true}\n' for numbers in transactions]
    return "".join(found)


def command(name: str, *arguments: str) -> list[str]:
    return [HEADWATER, "preview", "--source", "test.flow.yaml", "--name", name, *arguments]


def preview(folder: Path, name: str, *arguments: str, fixture: str | None = None) -> subprocess.CompletedProcess[str]:
    if not (folder / "test.flow.yaml").exists():
        write(folder, spec(folder))
    if fixture is not None:
        (folder / "fixture.jsonl").write_text(fixture)
        arguments = (*arguments, "--fixture", "fixture.jsonl")
    return subprocess.run(
        command(name, *arguments), cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


def said(done: subprocess.CompletedProcess[str]) -> list[Any]:
    """What was printed, without the placeholders of UUIDs."""
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for _, what in found:
        if isinstance(what, dict):
            what.pop("_meta", None)
    return found


def total(digit: str, count: int, sum_: int) -> list[Any]:
    return [TOTALS, {"digit": digit, "count": count, "sum": sum_}]


def test_each_transaction_is_printed_combined_by_key_with_the_change_of_the_state(tmp_path: Path) -> None:
    done = preview(tmp_path, TOTALS, "--output-state", fixture=lines_of([2, 1, 11], [], [21]))

    assert said(done) == [
        total("1", 2, 12),
        total("2", 1, 2),
        ["connectorState", {"updated": {"sums": {"1": 12, "2": 2}, "order": []}, "mergePatch": True}],
        ["connectorState", {}],
        total("1", 1, 33),
        ["connectorState", {"updated": {"sums": {"1": 33}}, "mergePatch": True}],
        ["connectorState", {"updated": {"sums": {"1": 33, "2": 2}, "order": []}}],
    ]
    assert done.stderr == ""


def test_a_session_goes_on_from_the_state_and_the_fixture_of_the_one_before(tmp_path: Path) -> None:
    arguments = ("--sessions", "1,1,-1", "--initial-state", '{"sums": {"1": 100}}')
    done = preview(tmp_path, TOTALS, *arguments, fixture=lines_of([1], [11], [21], [31]))

    assert said(done) == [total("1", 1, 101), total("1", 1, 112), total("1", 1, 133), total("1", 1, 164)]


def test_sessions_that_are_counted_leave_the_rest_unread(tmp_path: Path) -> None:
    done = preview(tmp_path, TOTALS, "--sessions", "1", fixture=lines_of([1], [11]))

    assert said(done) == [total("1", 1, 1)]


def test_the_older_form_of_fixtures_is_read_too(tmp_path: Path) -> None:
    older = json.dumps([[[NUMBERS, {"n": 1}], [NUMBERS, {"n": 11}]], [[NUMBERS, {"n": 21}]]], indent=2)

    assert said(preview(tmp_path, TOTALS, fixture=older)) == [total("1", 2, 12), total("1", 1, 33)]


def test_shards_take_their_share_and_what_they_derive_is_combined(tmp_path: Path) -> None:
    done = preview(tmp_path, TOTALS, "--shards", "3", fixture=lines_of(list(range(30))))

    assert [(what["digit"], what["count"]) for _, what in said(done)] == [(str(digit), 3) for digit in range(10)]


def test_the_uuid_of_a_real_document_is_no_offence(tmp_path: Path) -> None:
    real = f'["{NUMBERS}",{{"n":1,"_meta":{{"uuid":"c2c1ce7e-6f2a-11ee-8000-010000000000"}}}}]\n'

    assert said(preview(tmp_path, TOTALS, fixture=real)) == [total("1", 1, 1)]


@pytest.mark.parametrize("authority", ["endpoint", "runtime"])
def test_a_materialization_stores_to_the_endpoint_of_its_config(tmp_path: Path, authority: str) -> None:
    whole = spec(tmp_path)
    config(whole, SHELF)["authority"] = authority
    write(tmp_path, whole)
    fixture = (
        lines_of([1, 2], [3]) + f'["{TOTALS}",{{"digit":"1","count":2}}]\n["{TOTALS}",{{"digit":"1","count":5}}]\n'
    )
    done = preview(tmp_path, SHELF, "--output-state", "--output-apply", "--sessions", "1,-1", fixture=fixture)

    lines = said(done)
    assert lines[0] == ["applied.actionDescription", ""]
    assert shelf(tmp_path, "numbers") == {str(n): {"n": n} for n in (1, 2, 3)}
    assert shelf(tmp_path, "totals") == {"1": {"digit": "1", "count": 7}}
    assert done.stderr == f"{SHELF}: 4 documents stored\n"
    states = {"endpoint": {}, "runtime": {"0": 3}}
    assert lines[-1] == ["connectorState", {"updated": states[authority]}]
    assert len(lines) == 5


def test_shards_of_a_materialization_store_each_key_once(tmp_path: Path) -> None:
    done = preview(tmp_path, SHELF, "--shards", "2", fixture=lines_of(list(range(20)), [1]))

    assert done.stdout == ""
    assert shelf(tmp_path, "numbers") == {str(n): {"n": n} for n in range(20)}


@pytest.mark.parametrize(
    ("name", "arguments", "fixture", "sentence"),
    [
        (TOTALS, [], None, f"{TOTALS} reads collections: give their documents with --fixture FILE"),
        (CAPTURE, [], "", f"{CAPTURE} is a capture, and reads nothing"),
        (TOTALS, ["--delay", "1s"], "", "--delay is not for fixtures"),
        (TOTALS, ["--fixture", "gone"], None, "--fixture gone: No such file or directory"),
        (
            TOTALS,
            [],
            '["acmeCo/x",{}]',
            "fixture.jsonl:1: is of acmeCo/x, which the task does not read; its sources are:",
        ),
        (TOTALS, [], f'["{NUMBERS}",{{"n":"x"}}]', f"fixture.jsonl:1: {NUMBERS}: the document with key"),
        (TOTALS, [], "[1,2]", 'fixture.jsonl:1: Expected `str`, got `int` - at `$[0]`; want ["collection",{document}]'),
    ],
)
def test_what_cannot_be_previewed_is_told(
    tmp_path: Path, name: str, arguments: list[str], fixture: str | None, sentence: str
) -> None:
    done = preview(tmp_path, name, *arguments, fixture=fixture)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_task_is_named_where_there_are_several(tmp_path: Path) -> None:
    write(tmp_path, spec(tmp_path))
    arguments = [HEADWATER, "preview", "--source", "test.flow.yaml"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert f"defines 3 tasks; choose one with --name: {CAPTURE}, {SHELF}, {TOTALS}" in done.stderr


def test_a_connector_that_fails_is_told_after_what_it_committed(tmp_path: Path) -> None:
    whole = spec(tmp_path)
    config(whole, TOTALS)["mood"] = "fail"
    write(tmp_path, whole)
    done = preview(tmp_path, TOTALS, fixture=lines_of([], [5]))

    assert (done.returncode, done.stdout) == (1, "")
    assert "the connector ended with exit status 1: " in done.stderr


def test_a_stream_is_previewed_as_it_comes_until_a_signal(tmp_path: Path) -> None:
    write(tmp_path, spec(tmp_path))
    process = subprocess.Popen(
        command(TOTALS, "--fixture", "-", "--output-state"),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(lines_of([1]))
    process.stdin.flush()
    first, change = process.stdout.readline(), process.stdout.readline()
    process.stdin.write(f'["{NUMBERS}",{{"n":2}}]\n')  # of a transaction that never ends
    process.stdin.flush()
    process.send_signal(signal.SIGTERM)
    rest, told = process.communicate(timeout=60)

    assert process.returncode == 0, told
    assert json.loads(first)[1]["digit"] == "1"
    assert json.loads(change)[1]["mergePatch"]
    assert rest == '["connectorState",{"updated":{"sums":{"1":1},"order":[]}}]\n'


def test_the_time_limit_ends_the_wait_for_a_fifo_that_nobody_writes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    done = preview(tmp_path, TOTALS, "--fixture", "fifo", "--timeout", "1s", "--output-state")

    assert (done.returncode, done.stdout) == (0, '["connectorState",{"updated":{}}]\n'), done.stderr


def test_a_fixture_without_a_transaction_is_told(tmp_path: Path) -> None:
    done = preview(tmp_path, TOTALS, fixture="\n")

    assert (done.returncode, done.stdout) == (0, "")
    assert f"{TOTALS}: --fixture fixture.jsonl has no transaction\n" in done.stderr


def test_a_folder_as_a_fixture_is_one_sentence(tmp_path: Path) -> None:
    done = preview(tmp_path, TOTALS, "--fixture", ".")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        "headwater: --fixture .: Is a directory; give a file of documents, or - for stdin"
    )
