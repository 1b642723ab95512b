"""`headwater raw` on tests/connectors/plain.py."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.runner.test_preview import HEADWATER, write_spec

pytestmark = pytest.mark.slow


def raw(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [HEADWATER, "raw", *arguments, "--source", "test.flow.yaml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def test_spec_prints_the_members_of_the_answer_as_one_line(tmp_path: Path) -> None:
    write_spec(tmp_path)
    done = raw(tmp_path, "spec")

    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert json.loads(done.stdout)["protocol"] == 3032023


def test_discover_prints_each_binding_and_writes_nothing(tmp_path: Path) -> None:
    write_spec(tmp_path)
    before = (tmp_path / "test.flow.yaml").read_bytes()
    done = raw(tmp_path, "discover", "--emit-raw", "-o", "json")

    assert [json.loads(line)["recommendedName"] for line in done.stdout.splitlines()] == ["numbers"]
    assert (tmp_path / "test.flow.yaml").read_bytes() == before


def test_discover_writes_what_it_found(tmp_path: Path) -> None:
    write_spec(tmp_path)
    done = raw(tmp_path, "discover")

    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Wrote 0 specifications under test.flow.yaml.")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_connector_too(tmp_path: Path, number: signal.Signals) -> None:
    write_spec(tmp_path, silent=True)
    command = [HEADWATER, "raw", "discover", "--source", "test.flow.yaml"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    connector = _child_of(process)
    process.send_signal(number)
    assert process.stderr

    assert process.stderr.read() == "headwater: acmeCo/plain: stopped before the connector had answered\n"
    assert process.wait(60) == 1
    assert not connector.is_running()


def _child_of(process: subprocess.Popen[str]) -> psutil.Process:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if children := psutil.Process(process.pid).children():
            return children[0]
    raise AssertionError("the connector was never started")
