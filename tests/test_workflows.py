"""What GitHub's runners do, as far as it can be said here; `make check` lints the workflows themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from python.cli import changing
from python.importing.changes import connectors

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))


def workflow(name: str) -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def matrix() -> list[dict[str, str]]:
    entries: list[dict[str, str]] = workflow("python")["jobs"]["connector"]["strategy"]["matrix"]["include"]
    return entries


def test_every_connector_stands_in_the_matrix_with_its_type_and_its_version() -> None:
    wanted = [
        {"connector": each.name, "connector_type": each.type, "version": each.version} for each in connectors(ROOT)
    ]

    assert matrix() == wanted, "put into .github/workflows/python.yaml what `headwater changed --matrix` prints"


def test_the_command_prints_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "docs")

    assert yaml.safe_load("\n".join(changing.lines(None, "matrix"))) == matrix()


def test_the_called_workflow_is_given_what_it_asks_for() -> None:
    on: Any = True  # as YAML 1.1 reads that word
    asked = workflow("connector")[on]["workflow_call"]["inputs"]
    given = workflow("python")["jobs"]["connector"]["with"]

    assert set(given) == set(asked)
    assert all(each["required"] for each in asked.values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_workflow_runs_of_ours_is_there(path: Path) -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = path.read_text(encoding="utf-8")

    assert set(re.findall(r"\bmake ([a-z-]+)", re.sub(r"name: .*", "", text))) <= verbs
    assert all((ROOT / name).is_file() for name in re.findall(r"(?:run: |\./)([\w./-]+\.sh|\.ci/run)\b", text))
