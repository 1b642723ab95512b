"""`headwater snapshot`: what it writes, and what its exit status says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from python.cli import snapshot as command

ROOT = Path(__file__).parent.parent.parent
SPEC = "snapshots__spec__capture.stdout.json"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(command.snapshot, arguments)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)
    shutil.copytree(ROOT / "source-bigdata", tmp_path / "source-bigdata")
    return tmp_path / "source-bigdata"


@pytest.mark.slow
def test_what_is_not_kept_is_written_and_what_differs_only_with_update(folder: Path) -> None:
    kept = folder / "tests" / "snapshots" / SPEC
    kept.unlink()
    first = call(str(folder), "spec")
    text = kept.read_text()
    kept.write_text("[]")

    assert (first.exit_code, first.stdout) == (0, f"{kept} is written\n")
    for arguments in ((str(folder), "spec"), (str(folder), "spec", "--check")):
        told = call(*arguments)
        assert (told.exit_code, kept.read_text()) == (1, "[]")
        assert told.stdout.startswith(f"--- {kept} (kept)\n+++ {kept} (now)\n")
        assert told.stdout.endswith("--update\n")
    assert call(str(folder), "spec", "--update").exit_code == 0
    assert kept.read_text() == text
    assert call(str(folder), "spec").stdout == f"{folder}: spec as kept\n"


@pytest.mark.slow
def test_check_writes_nothing_at_all(folder: Path) -> None:
    kept = folder / "tests" / "snapshots" / SPEC
    kept.unlink()
    told = call(str(folder), "spec", "--check")

    assert (told.exit_code, kept.exists()) == (1, False)
    assert told.stdout.startswith(f"{kept} is not kept yet\n")


def test_what_is_no_connector_s_folder_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    for name, sentence in (
        (str(tmp_path / "nope"), "is no folder"),
        (str(tmp_path), "is asked and run by a Flow spec"),
    ):
        told = call(name)
        assert (told.exit_code, told.stdout) == (2, "")
        assert sentence in told.stderr
        assert told.stderr.count("\n") == 1
