"""The end of `headwater init`: the folder in its place, its environment, its line in CI's matrix, or nothing of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from python.cli.commands import headwater
from python.importing.scaffold import matrix

ROOT = Path(__file__).parent.parent.parent

BEFORE = """
- { connector: source-a, connector_type: capture, version: v1 }
"""

# What comes before that end takes packages of the index: it is stood in for by one file.
INIT = """
import os
from python.cli import commands, initializing
from python.importing.scaffold.drafts import Draft

def make(space):
    (space.folder / "VERSION").write_text("v1")
    {then}
    return Draft(what="", command=[])

initializing._way = lambda options, protocol, home: make
initializing.describing.files = lambda folder, draft, protocol: []
commands.headwater(["init", "source-x", "--native"])
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A repository in which `init` can begin, and whose activate.sh a test writes."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "headwater"\n')
    workflow = tmp_path / matrix.WORKFLOW
    workflow.parent.mkdir(parents=True)
    workflow.write_text(BEFORE)
    (tmp_path / "python").mkdir()
    return tmp_path


def init(home: Path, activate: str, then: str = "pass") -> subprocess.CompletedProcess[str]:
    """The run of `init` with that text of activate.sh; `then` is done in the middle of making the folder."""
    (home / "python" / "activate.sh").write_text(activate)
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}){INIT.format(then=then)}"]
    return subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)


def again(home: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.chdir(home)
    return CliRunner().invoke(headwater, ["init", "source-x", "--native"])


def test_what_is_made_has_its_environment_and_its_line(home: Path) -> None:
    done = init(home, 'mkdir "$1/.venv"')

    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (home / "source-x").iterdir()) == [".venv", "VERSION"]
    assert "connector: source-x, connector_type: capture" in (home / matrix.WORKFLOW).read_text()


def test_an_environment_that_cannot_be_made_leaves_nothing(home: Path) -> None:
    done = init(home, 'mkdir "$1/.venv"; echo "no space left on device" >&2; exit 1')

    assert (done.returncode, done.stderr) == (1, "headwater: cannot install source-x: no space left on device\n")
    assert not (home / "source-x").exists()
    assert list((home / ".cache").iterdir()) == []
    assert (home / matrix.WORKFLOW).read_text() == BEFORE


def test_a_matrix_that_cannot_be_written_leaves_nothing(home: Path) -> None:
    done = init(home, f'mkdir "$1/.venv" "{matrix.WORKFLOW.parent}/.python.yaml.new"')

    assert done.returncode == 1
    assert done.stderr.endswith("/.github/workflows/python.yaml cannot be written: Is a directory\n")
    assert not (home / "source-x").exists()


def test_a_kill_before_that_leaves_nothing_in_sight_and_the_next_run_begins_anew(home: Path) -> None:
    left = home / ".cache" / "init" / "source-x" / "source-x"

    done = init(home, "", "os.kill(os.getpid(), 9)")

    assert done.returncode == -signal.SIGKILL
    assert (left / "VERSION").exists()
    assert not (home / "source-x").exists()
    assert init(home, 'mkdir "$1/.venv"').returncode == 0
    assert (home / "source-x" / "VERSION").read_text() == "v1"
    assert not left.exists()


def test_a_kill_leaves_all_but_the_environment_and_the_next_run_says_how_to_go_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = init(home, "kill -KILL $PPID")

    assert done.returncode == -signal.SIGKILL
    assert (home / "source-x" / "VERSION").read_text() == "v1"
    assert (home / matrix.WORKFLOW).read_text() == BEFORE
    told = again(home, monkeypatch).output
    assert "a run that was killed wrote it, all but its environment and its line in CI's matrix" in told
    assert "`python/activate.sh source-x` makes the one, `headwater changed --matrix` prints the other" in told
    (home / "source-x" / "VERSION").unlink()
    (home / "source-x").rmdir()
    assert init(home, 'mkdir "$1/.venv"').returncode == 0


def test_a_folder_that_was_there_is_no_half_of_a_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "source-x").mkdir()
    (home / "python" / "activate.sh").touch()

    assert "is there already, and nothing is overwritten" in again(home, monkeypatch).output
