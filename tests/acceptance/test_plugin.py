"""The suite in pytest, as a connector's author has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance import subjects

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
TESTS = """
import pytest

def test_every_promise_is_kept(headwater_case):
    headwater_case()
"""
TARGET = """
import pytest
from python.acceptance.target import Target

@pytest.fixture
def headwater_target():
    return Target(command=("no-such-connector",), config={}, rows=lambda table: [])

def test_target(headwater_target_case):
    headwater_target_case()
"""


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit status and stdout of a pytest of its own; the plugin is named, as without an installed entry point."""
    command = [sys.executable, "-m", "pytest", "-p", "python.acceptance.plugin", "-p", "no:cacheprovider", *arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_a_connector_is_named_on_the_command_line(tmp_path: Path) -> None:
    subjects.capture(tmp_path, "no title")
    (tmp_path / "test_other.py").write_text("def test_other():\n    assert False\n")
    rules = [f"--headwater-rule={rule}" for rule in (1, 17, 24, 87)]

    status, told = run(tmp_path, "--headwater", ".", *rules)
    assert (status, "3 passed, 1 skipped, 1 warning" in told) == (0, True), told
    assert "resourceConfigSchema/name has no title" in told

    status, told = run(tmp_path, "--headwater", ".", "--headwater-strict", *rules)
    assert (status, "1 failed, 2 passed, 1 skipped" in told) == (1, True), told
    assert "wanted: a title" in told


def test_a_connectors_own_tests_take_each_case(tmp_path: Path) -> None:
    subjects.capture(tmp_path, "another protocol")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_promises.py").write_text(TESTS)

    status, told = run(tmp_path, "tests", "--headwater-rule=17", "--headwater-rule=18")

    assert (status, "1 failed, 1 passed" in told) == (1, True), told
    assert "spec speaks another protocol" in told


def test_cases_of_targets_are_run_with_the_target_of_the_tests(tmp_path: Path) -> None:
    (tmp_path / "test_target.py").write_text(TARGET)

    status, told = run(tmp_path, "-q", "-k", "zombies or updates")

    assert (status, "'no-such-connector'" in told) == (1, True), told


@pytest.mark.parametrize("arguments", [["--headwater", "nowhere"], ["test_lost.py"]])
def test_a_connector_that_is_none_is_told_in_a_sentence(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "test_lost.py").write_text(TESTS)

    status, told = run(tmp_path, *arguments)

    assert (status != 0, "Traceback" in told) == (True, False), told
    assert "nowhere is no folder" in told or "no folder above it has a test.flow.yaml" in told


def test_other_runs_of_pytest_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "def test_other():\n    import sys\n    assert 'duckdb' not in sys.modules\n"
    )

    assert run(tmp_path)[0] == 0
    assert json.dumps(sorted(path.name for path in tmp_path.iterdir() if path.suffix)) == '["test_other.py"]'
