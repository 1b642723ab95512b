from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("requests")
pytestmark = pytest.mark.slow

PROGRAM = """\
import sys, requests
print(__name__, *sys.argv[1:])
for url in sys.argv[1:]:
    print(requests.get(url).json())
"""
EXCHANGE = {
    "request": {"method": "GET", "url": "https://api.example.com/a", "headers": {}},
    "response": {"status": 200, "reason": "OK", "headers": {"Content-Type": ["application/json"]}, "body": '{"a": 1}'},
}
ABOUT = {"recording": 1, "began": "2024-01-01T00:00:00+00:00", "finished": True, "exchanges": 1}


def replay(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (home / "asks.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "python.builder.replay", *arguments]
    return subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    folder = tmp_path / "recording"
    folder.mkdir()
    (folder / "recording.json").write_text(json.dumps(ABOUT))
    (folder / "0001.json").write_text(json.dumps(EXCHANGE))
    return folder


def test_a_module_runs_as_ever_and_its_requests_are_answered(tmp_path: Path, recording: Path) -> None:
    done = replay(tmp_path, "recording", "asks", "https://api.example.com/a")

    assert done.stdout == "__main__ https://api.example.com/a\n{'a': 1}\n", done.stderr


def test_what_was_not_recorded_is_refused_with_the_nearest_that_was(tmp_path: Path, recording: Path) -> None:
    done = replay(tmp_path, "recording", "asks", "https://api.example.com/b")

    assert done.returncode == 1
    assert done.stderr.startswith("GET https://api.example.com/b was not recorded in recording. The nearest is GET")


def test_an_empty_folder_refuses_everything(tmp_path: Path) -> None:
    (tmp_path / "recording").mkdir()
    done = replay(tmp_path, "recording", "asks", "https://api.example.com/b?token=secret")

    assert done.stderr.startswith("GET https://api.example.com/b was not recorded in recording: nothing was")


@pytest.mark.parametrize("arguments", [[], ["recording"], ["none", "asks"]])
def test_a_wrong_call_is_told_how_to_call(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "recording").mkdir()
    done = replay(tmp_path, *arguments)

    assert done.stderr.startswith("usage: python -m python.builder.replay RECORDING MODULE")


def test_a_folder_that_is_no_recording_is_one_sentence(tmp_path: Path, recording: Path) -> None:
    (recording / "0001.json").unlink()
    done = replay(tmp_path, "recording", "asks")

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "there is no recording here" in done.stderr
