"""`headwater import` and the scripts that call it, as people run them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.importing.repositories import Git, ours_and_theirs

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
ARGUMENTS = ("airbyte", "master", "connectors/source-x/", "source-x", "MIT", "LICENSE")
IMPORT = (str(Path(sys.executable).parent / "headwater"), "import")


@pytest.fixture
def repositories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Git, Git]:
    ours, theirs = ours_and_theirs(tmp_path, monkeypatch)
    (ours.folder / "python").mkdir()
    for script in ("pull_upstream.sh", "python/pull_upstream.sh"):
        shutil.copy(ROOT / script, ours.folder / script)
    ours.commit({}, "the scripts")
    return ours, theirs


@pytest.fixture
def ours(repositories: tuple[Git, Git]) -> Git:
    return repositories[0]


@pytest.fixture
def theirs(repositories: tuple[Git, Git]) -> Git:
    return repositories[1]


def call(folder: Path, *command: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    with_ours = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = dict(os.environ) | {"PATH": with_ours if path is None else path, "EDITOR": "false", "VISUAL": "false"}
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("script", ["pull_upstream.sh", "python/pull_upstream.sh"])
def test_the_script_imports_into_its_own_repository_from_anywhere(ours: Git, tmp_path: Path, script: str) -> None:
    done = call(tmp_path, str(ours.folder / script), *ARGUMENTS)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("imported source-x from airbyte @ master (")
    assert "source-x/main.py" in ours.files()


def test_the_script_says_how_it_is_called(ours: Git) -> None:
    told = call(ours.folder, "./pull_upstream.sh", "-h")
    missing = call(ours.folder, "./pull_upstream.sh", *ARGUMENTS[:5])
    too_many = call(ours.folder, "./pull_upstream.sh", *ARGUMENTS, "more")

    assert told.returncode == 0
    assert "SOURCE_LICENSE_PATH  the file there that says so" in told.stdout
    assert (missing.returncode, too_many.returncode) == (2, 2)
    assert "Missing argument 'SOURCE_LICENSE_PATH'" in missing.stderr


def test_the_script_says_what_is_missing_where_headwater_is_not_installed(ours: Git, tmp_path: Path) -> None:
    for program in ("bash", "dirname"):
        (tmp_path / program).symlink_to(shutil.which(program) or program)

    done = call(ours.folder, "./pull_upstream.sh", *ARGUMENTS, path=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.startswith("pull_upstream.sh: the headwater command is not installed: ")


def test_a_refusal_is_one_sentence(ours: Git) -> None:
    done = call(ours.folder, *IMPORT, "pull", *ARGUMENTS[:4], "MTI", "LICENSE")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("headwater: licence 'MTI' is no SPDX identifier or expression: ")
    assert done.stderr.count("\n") == 1


def test_a_conflict_ends_with_1_and_git_completes_it(ours: Git, theirs: Git) -> None:
    call(ours.folder, *IMPORT, "pull", *ARGUMENTS)
    ours.commit({"source-x/main.py": "ours\n"})
    theirs.commit({"connectors/source-x/main.py": "theirs\n"})

    done = call(ours.folder, *IMPORT, "pull", *ARGUMENTS)
    assert (done.returncode, done.stdout) == (1, "")
    assert "  source-x/main.py: changed by both\nmend them, `git add` them, and `git commit`" in done.stderr

    (ours.folder / "source-x/main.py").write_text("both\n")
    ours("add", "source-x")
    again = call(ours.folder, *IMPORT, "pull", *ARGUMENTS)
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("completed the import of source-x that was in progress, upstream's commit ")


def test_status_is_a_table_or_lines_of_json(ours: Git) -> None:
    call(ours.folder, *IMPORT, "pull", *ARGUMENTS)
    (ours.folder / "docs").mkdir()

    table = call(ours.folder / "docs", *IMPORT, "status")
    lines = call(ours.folder, *IMPORT, "status", "source-x", "--fetch", "--json").stdout.splitlines()
    unknown = call(ours.folder, *IMPORT, "status", "source-y")

    assert table.stdout.splitlines()[1].startswith("source-x  ")
    assert [json.loads(line)["behind"] for line in lines] == [0]
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)
