"""Nothing lost and nothing doubled from source to endpoint, whoever is killed on the way."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.whole_spec import CAPTURE, SHELF, TOTALS, command, config, expected_totals, run, shelf, spec, write

COUNT = 3_000
STARTED = (f"{CAPTURE}: capturing", f"{TOTALS}: deriving", f"{SHELF}: materializing")
SCRIPTS = {"capture": "counter.py", "derivation": "totals.py", "materialization": "sqlite_shelf.py"}


def killed(folder: Path, victim: str, seconds: float) -> bool:
    """Run, kill the victim so long after every task has begun, and return whether there was one to kill."""
    process = subprocess.Popen(
        command(), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr
    waiting = set(STARTED)
    for line in process.stderr:
        waiting = {begin for begin in waiting if not line.startswith(begin)}
        if not waiting:
            break
    time.sleep(seconds)  # a kill at a random point; nothing is waited for
    hit = _kill(process.pid, victim)
    process.send_signal(
        signal.SIGTERM
    )  # or the others, which a failure does not stop, would leave the next run nothing
    process.communicate(timeout=120)
    return hit


def _numbers(folder: Path) -> int:
    try:
        return len(shelf(folder, "numbers"))
    except sqlite3.OperationalError:
        return 0


def _wait_for(process: subprocess.Popen[str], folder: Path, numbers: int) -> None:
    deadline = time.monotonic() + 90
    while _numbers(folder) < numbers:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.1)


def _kill(runner: int, victim: str) -> bool:
    found = [psutil.Process(runner)]
    if victim != "runner":
        children = found[0].children()
        found = [child for child in children if child.status() != psutil.STATUS_ZOMBIE and _is(child, victim)]
    for process in found:
        process.kill()
    return bool(found)


def _is(child: psutil.Process, victim: str) -> bool:
    return any(SCRIPTS[victim] in word for word in child.cmdline())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("authority", "victims"),
    [
        ("endpoint", ["materialization", "runner", "derivation", "capture", "runner"]),
        ("runtime", ["materialization", "runner", "materialization"]),
    ],
)
def test_a_spec_whose_processes_are_killed_ends_as_if_undisturbed(
    tmp_path: Path, authority: str, victims: list[str]
) -> None:
    whole = spec(tmp_path, count=COUNT, batch=20, pause_seconds=0.003)
    config(whole, SHELF).update(authority=authority, pause_seconds=0.02)
    write(tmp_path, whole)
    chance = random.Random(authority)
    hits = [killed(tmp_path, victim, chance.uniform(0.1, 0.7)) for victim in victims]
    amid = len(shelf(tmp_path, "numbers"))
    config(whole, CAPTURE)["pause_seconds"] = 0.0
    write(tmp_path, whole)
    last = run(tmp_path)

    assert all(hits)
    assert 0 < amid < COUNT
    assert last.returncode == 0, last.stderr
    assert shelf(tmp_path, "totals") == expected_totals(COUNT)
    assert shelf(tmp_path, "numbers") == {str(n): {"n": n} for n in range(COUNT)}


@pytest.mark.slow
def test_a_continuous_run_follows_its_captures_and_starts_what_failed_again(tmp_path: Path) -> None:
    whole = spec(tmp_path, count=100_000, session=10)
    whole["captures"][CAPTURE]["interval"] = "1s"
    write(tmp_path, whole)
    with (tmp_path / "told").open("w") as told:
        process = subprocess.Popen(
            command("--continuous"), cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=told, text=True
        )
        _wait_for(process, tmp_path, 10)
        before = _numbers(tmp_path)
        assert _kill(process.pid, "materialization")
        assert _kill(process.pid, "derivation")
        _wait_for(process, tmp_path, before + 30)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    lines = (tmp_path / "told").read_text().splitlines()
    for task in (TOTALS, SHELF):
        again = [line for line in lines if line.startswith(f"{task}: failed, and starts again in 1 s: the connector")]
        assert len(again) == 1
    numbers = shelf(tmp_path, "numbers")
    assert numbers == {str(n): {"n": n} for n in range(len(numbers))}
    write(tmp_path, spec(tmp_path, count=len(numbers)))
    assert run(tmp_path).returncode == 0
    count = len(shelf(tmp_path, "numbers"))
    assert shelf(tmp_path, "totals") == expected_totals(count)
