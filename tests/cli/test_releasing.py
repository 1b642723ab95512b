"""A repository with one connector, released and released again; its connector is asked in the story test."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from python.cli.commands import headwater
from python.importing.scaffold import matrix

SPEC = {
    "protocol": 3032023,
    "configSchema": {"type": "object", "properties": {"token": {"type": "string"}}},
    "resourceConfigSchema": {"type": "object", "properties": {"table": {"type": "string"}}},
    "resourcePathPointers": ["/table"],
}


def binding(**members: Any) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "n": {"type": "integer"}},
        "required": ["id", "n"],
    }
    return {
        "recommendedName": "x",
        "resourceConfig": {"table": "x"},
        "documentSchema": schema,
        "key": ["/id"],
        **members,
    }


class Repository:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "source-x"
        (self.folder / "tests" / "snapshots").mkdir(parents=True)
        self.git("init", "--initial-branch=main")
        self.write("pyproject.toml", "")
        self.write("VERSION", "v1\n")
        self.write("README.md", "# source-x\n\nGive it a `token`; a binding has a `table`.\n")
        self.keep("spec", SPEC)
        self.keep("discover", [binding()])

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True).stdout

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def keep(self, kind: str, value: object) -> None:
        self.write(f"tests/snapshots/{kind}.json", json.dumps(value))

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "-m", "change")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.chdir(tmp_path)
    return Repository(tmp_path)


@pytest.fixture
def release() -> Callable[..., Result]:
    return lambda *options: CliRunner().invoke(headwater, ["release", "source-x", "--no-ask", *options])


def test_a_first_release_and_one_that_breaks(repository: Repository, release: Callable[..., Result]) -> None:
    repository.commit()

    assert "source-x is v1 and was never released before" in release().output
    repository.commit()
    repository.keep("discover", [binding(key=["/n"])])
    repository.commit()
    checked = release("--check", "--markdown")
    assert checked.exit_code == 1
    assert "raise it to v2" in checked.output
    assert "### Discovery" in checked.output
    released = release()

    assert released.exit_code == 0
    assert "source-x is v2 since source-x at " in released.output
    assert repository.read("VERSION") == "v2\n"
    headings = [line for line in repository.read("CHANGELOG.md").splitlines() if line.startswith("## ")]
    assert [heading[:6] for heading in headings] == ["## v2,", "## v1,"]
    assert '`["/id"]` → `["/n"]`' in repository.read("CHANGELOG.md")


def test_a_release_done_twice_changes_nothing(repository: Repository, release: Callable[..., Result]) -> None:
    release()
    repository.commit()
    repository.keep("discover", [binding(key=["/n"])])
    release()
    once = {name: repository.read(name) for name in ("VERSION", "CHANGELOG.md", "README.md")}

    assert repository.read("VERSION") == "v2\n"
    assert release().exit_code == 0
    assert {name: repository.read(name) for name in once} == once
    repository.commit()
    assert release("--check").exit_code == 0


def test_two_releases_of_one_day_and_version_are_told_apart(
    repository: Repository, release: Callable[..., Result]
) -> None:
    for fields in (("token",), ("token", "region"), ("token", "region", "zone")):
        config = {"type": "object", "properties": {name: {"type": "string"} for name in fields}}
        repository.keep("spec", SPEC | {"configSchema": config})
        assert release().exit_code == 0
        repository.commit()
    newest = repository.git("rev-parse", "--short=7", "HEAD").strip()
    kept = repository.read("CHANGELOG.md")

    assert f"since source-x at {newest}" in release("--check").output
    assert f"since source-x at {newest}, and nothing of it has changed" in release().output
    assert repository.read("CHANGELOG.md") == kept
    assert not repository.git("status", "--porcelain")


def test_a_release_moves_its_line_of_ci_s_matrix(repository: Repository, release: Callable[..., Result]) -> None:
    workflow = repository.root / matrix.WORKFLOW
    workflow.parent.mkdir(parents=True)
    workflow.write_text("- { connector: source-x, connector_type: capture, version: v1 }\n")
    release()
    repository.commit()
    repository.keep("discover", [binding(key=["/n"])])

    assert release().exit_code == 0
    assert workflow.read_text() == "- { connector: source-x, connector_type: capture, version: v2 }\n"
    workflow.write_text("- { connector: source-x, connector_type: capture, version: v1 }\n")
    checked = release("--check")
    assert checked.exit_code == 1
    assert "python.yaml has it as v1, and VERSION is v2" in checked.output


def test_what_waits_for_a_release_is_none(repository: Repository, release: Callable[..., Result]) -> None:
    release()
    repository.commit()
    repository.keep("discover", [binding(key=["/n"])])
    repository.write(
        "CHANGELOG.md", repository.read("CHANGELOG.md").replace("## v1", "## Unreleased\n\n- Soon.\n\n## v1")
    )
    repository.commit()

    checked = release("--check")

    assert checked.exit_code == 1
    assert "raise it to v2" in checked.output


def test_a_snapshot_that_is_gone_is_no_release(repository: Repository, release: Callable[..., Result]) -> None:
    release()
    repository.commit()
    (repository.folder / "tests" / "snapshots" / "discover.json").unlink()

    checked = release("--check")

    assert checked.exit_code == 1
    assert "nobody can say what has changed" in checked.output


def test_a_page_that_is_no_text_is_told(repository: Repository, release: Callable[..., Result]) -> None:
    repository.commit()
    (repository.folder / "README.md").write_bytes(b"\xff")

    result = release()

    assert result.exit_code == 2
    assert "README.md is no UTF-8 text" in result.output


def test_a_check_writes_nothing(repository: Repository, release: Callable[..., Result]) -> None:
    repository.commit()

    assert release("--check").exit_code == 1
    assert not repository.git("status", "--porcelain")


def test_the_release_before_a_branch_is_found_with_since(
    repository: Repository, release: Callable[..., Result]
) -> None:
    release()
    repository.commit()
    repository.git("tag", "base")
    repository.keep("discover", [binding(key=["/n"])])
    release()
    repository.commit()

    told = release("--check", "--since", "base", "--markdown").output

    assert "VERSION was raised from v1 to v2: that is enough" in told


def test_what_the_config_has_and_the_readme_does_not_name_is_written(
    repository: Repository, release: Callable[..., Result]
) -> None:
    repository.write("README.md", "# source-x\n")
    repository.commit()

    assert release().exit_code == 0
    assert "| `token` | string |" in repository.read("README.md")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("source-y", "source-y is no connector of"),
        ("docs", "docs is no connector of"),
        ("..", ".. is no connector of"),
    ],
)
def test_what_is_no_connector_is_told(repository: Repository, name: str, sentence: str) -> None:
    repository.commit()

    result = CliRunner().invoke(headwater, ["release", name])

    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_version_that_nobody_can_read_is_told_and_nothing_is_written(
    repository: Repository, release: Callable[..., Result]
) -> None:
    release()
    repository.commit()
    repository.write("VERSION", "newest\n")
    before = repository.read("CHANGELOG.md")

    result = release()

    assert result.exit_code == 2
    assert "VERSION is 'newest'" in result.output
    assert repository.read("CHANGELOG.md") == before
