"""`headwater init` in a copy of this repository: each kind of connector, with real packages, passes its tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from python.importing.changes import connectors
from python.importing.scaffold import matrix

ROOT = Path(__file__).parent.parent.parent
RUN = [sys.executable, "-c", "from python.cli import main; main()"]
COPIED = ("CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml")
SECONDS_MAX = 600

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository without connectors."""
    home = tmp_path_factory.mktemp("repository")
    for name in ("python", "tests"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in COPIED:
        shutil.copy(ROOT / name, home / name)
    workflow = home / ".github" / "workflows" / "python.yaml"
    workflow.parent.mkdir(parents=True)
    shutil.copy(ROOT / ".github" / "workflows" / "python.yaml", workflow)
    (home / ".venv").symlink_to(ROOT / ".venv")
    return home


def run(home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    own = {**os.environ, "PYTHONPATH": str(home)}
    return subprocess.run(command, cwd=home, env=own, capture_output=True, text=True, check=False, timeout=SECONDS_MAX)


def init(home: Path, *arguments: str) -> str:
    done = run(home, *RUN, "init", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check(home: Path, name: str, **ended: int) -> None:
    """So many tests of the connector `ended` in each way; its code is in our style, and it is where CI looks."""
    done = run(home, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{name}/tests")
    assert done.returncode == 0, done.stdout
    told = ", ".join(f"{count} {kind}" for kind, count in ended.items())
    assert [line for line in done.stdout.splitlines() if line.startswith(f"{told} in ")], done.stdout
    for command in (["check"], ["format", "--check"]):
        done = run(home, sys.executable, "-m", "ruff", *command, "--no-cache", name)
        assert done.returncode == 0, done.stdout
    entry = next(matrix.line_of(each) for each in connectors(home) if each.name == name)
    assert f"  {entry}\n" in (home / matrix.WORKFLOW).read_text(encoding="utf-8")


def config(home: Path, name: str) -> object:
    spec = yaml.safe_load((home / name / "test.flow.yaml").read_text(encoding="utf-8"))
    return spec["captures"][f"acmeCo/{name}"]["endpoint"]["local"]["config"]


@pytest.mark.long
def test_an_airbyte_source(home: Path) -> None:
    told = init(home, "source-fixed", "--airbyte", "airbyte-source-hardcoded-records==0.0.48")

    assert told.splitlines()[-4:] == [
        "Wrote source-fixed/. What comes next:",
        "  pytest source-fixed",
        "  headwater run --source source-fixed/test.flow.yaml",
        "  git add source-fixed",
    ]
    check(home, "source-fixed", passed=3)
    assert config(home, "source-fixed") == {"count": 1000}
    project = (home / "source-fixed" / "pyproject.toml").read_text(encoding="utf-8")
    assert 'requires-python = ">=3.11,<3.14"' in project
    assert 'dependencies = ["airbyte-source-hardcoded-records==0.0.48", "headwater"]' in project


@pytest.mark.long
def test_a_singer_tap_whose_config_nobody_can_guess(home: Path) -> None:
    told = init(home, "source-dbase", "--singer", "tap-dbf==0.1.25")

    assert "The tests of discover and capture wait until source-dbase/test.flow.yaml has /path filled in" in told
    check(home, "source-dbase", passed=1, skipped=2)
    assert "CaptureShim(TapDBF).main()" in (home / "source-dbase" / "__main__.py").read_text(encoding="utf-8")


@pytest.mark.long
def test_a_manifest_with_its_components(home: Path) -> None:
    told = init(home, "source-stock", "--manifest", str(ROOT / "source-inventory" / "manifest.yaml"))

    assert "The test of capture waits until source-stock/test.flow.yaml has /url, /api_key filled in" in told
    check(home, "source-stock", passed=2, skipped=1)
    assert (home / "source-stock" / "components.py").is_file()


@pytest.mark.parametrize(
    ("name", "passed"),
    [
        ("source-readings", 3),
        pytest.param("derive-sums", 2, marks=pytest.mark.long),
        pytest.param("materialize-file", 2, marks=pytest.mark.long),
    ],
)
def test_a_native_connector(name: str, passed: int, home: Path) -> None:
    init(home, name, "--native")

    check(home, name, passed=passed)


def test_what_cannot_be_found_is_told_in_a_sentence_and_leaves_nothing(home: Path) -> None:
    done = run(home, *RUN, "init", "source-none", "--singer", "tap-that-nobody-has-made")

    assert done.returncode == 1
    assert done.stderr.startswith("headwater: cannot lock source-none: Because tap-that-nobody-has-made was not found")
    assert not (home / "source-none").exists()
