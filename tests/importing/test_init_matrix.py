from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from python.cli import changing
from python.importing.changes import Connector
from python.importing.scaffold import matrix

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    path = tmp_path / matrix.WORKFLOW
    path.parent.mkdir(parents=True)
    path.write_text((ROOT / matrix.WORKFLOW).read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["derive-a", "source-a", "source-zz"])
def test_a_connector_gets_one_line_in_its_place(name: str, workflow: Path, tmp_path: Path) -> None:
    before = workflow.read_text(encoding="utf-8")

    for _ in range(2):
        assert matrix.enlist(tmp_path, Connector(name, "capture", "v1", ""))

    after = workflow.read_text(encoding="utf-8")
    entries = yaml.safe_load(after)["jobs"]["connector"]["strategy"]["matrix"]["include"]
    names = [entry["connector"] for entry in entries]
    assert names == sorted(names)
    assert [line for line in after.splitlines() if line not in before.splitlines()] == [
        f"          - {{ connector: {name}, connector_type: capture, version: v1 }}"
    ]


def test_a_line_gets_the_version_that_its_connector_has_now(workflow: Path, tmp_path: Path) -> None:
    before = workflow.read_text(encoding="utf-8")
    assert matrix.listed(tmp_path, "source-faker") == "v1"

    assert matrix.enlist(tmp_path, Connector("source-faker", "capture", "v2", ""))

    line = "{ connector: source-faker, connector_type: capture, version: v%s }"
    assert workflow.read_text(encoding="utf-8") == before.replace(line % 1, line % 2)
    assert matrix.listed(tmp_path, "source-faker") == "v2"
    assert matrix.listed(tmp_path, "source-nobody") == ""


def test_without_a_matrix_nothing_is_written(tmp_path: Path) -> None:
    assert not matrix.enlist(tmp_path, Connector("source-x", "capture", "v1", ""))
    assert matrix.listed(tmp_path, "source-x") is None
    assert list(tmp_path.iterdir()) == []


def test_the_line_is_that_of_headwater_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)

    assert matrix.line_of(Connector("source-faker", "capture", "v1", "")) in list(changing.lines(None, "matrix"))
