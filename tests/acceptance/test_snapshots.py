from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from python.acceptance.snapshot_check import Snapshots
from python.acceptance.snapshots import Question, changes, take, write
from python.importing.snapshot_texts import KINDS
from python.protocol.errors import HeadwaterError
from python.protocol.log import Log
from python.runner import engines
from tests.conversing import ROOT

COUNTER = str(ROOT / "tests" / "connectors" / "counter.py")
NAMES = [f"snapshots__{kind}__capture.stdout.json" for kind in ("spec", "discover", "capture", "state")]

pytestmark = pytest.mark.slow


def spec(*names: str, **config: Any) -> str:
    endpoint = {"local": {"command": [sys.executable, COUNTER], "config": config}}
    bindings = [{"resource": {"name": "numbers"}, "target": "acmeCo/numbers"}]
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    collections = {"acmeCo/numbers": {"schema": schema, "key": ["/n"]}}
    captures = {name: {"endpoint": endpoint, "bindings": bindings} for name in names or ["acmeCo/source-counter"]}
    return json.dumps({"captures": captures, "collections": collections})


def made(within: Path) -> Path:
    found = within / "source-counter"
    found.mkdir()
    (found / "pyproject.toml").write_text("[tool.headwater.snapshot]\nlines = 2\n")
    (found / "test.flow.yaml").write_text(spec(count=4))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A connector without snapshots."""
    return made(tmp_path)


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with all of them, to be looked at."""
    found = made(tmp_path_factory.mktemp("complete"))
    taken(found)
    return found


@pytest.fixture
def copy(complete: Path, tmp_path: Path) -> Path:
    """The same to be changed."""
    return Path(shutil.copytree(complete, tmp_path / complete.name))


RUN = ("capture", "state")


def taken(folder: Path, *kinds: str) -> Question:
    question = Question(folder=folder, kinds=kinds or KINDS)
    write(changes(question, take(question)))
    return question


def kept(folder: Path, name: str) -> Any:
    return json.loads((folder / "tests" / "snapshots" / name).read_text())


def test_everything_that_a_connector_says_is_kept_under_the_names_that_flowctl_s_users_know(complete: Path) -> None:
    assert sorted(path.name for path in (complete / "tests" / "snapshots").iterdir()) == sorted(NAMES)
    assert kept(complete, NAMES[0])[0]["protocol"] == 3032023
    assert kept(complete, NAMES[1])[0]["recommendedName"] == "numbers"
    assert [doc["n"] for _, doc in kept(complete, NAMES[2])] == [0, 1]
    assert kept(complete, NAMES[3]) == [{"bindingStateV1": {"numbers": {"n": 3}}}]


def test_what_is_kept_is_the_same_when_it_is_taken_again(complete: Path) -> None:
    question = Question(folder=complete)

    assert changes(question, take(question)) == []


def test_a_difference_is_told_and_nothing_is_written(copy: Path) -> None:
    (copy / "test.flow.yaml").write_text(spec(count=5))
    before = {path: path.read_bytes() for path in copy.rglob("*.json")}
    question = Question(folder=copy, kinds=RUN)

    (change,) = changes(question, take(question))

    assert {'-        "n": 3', '+        "n": 4'} < {*change.told().splitlines()}
    assert {path: path.read_bytes() for path in copy.rglob("*.json")} == before


def test_each_capture_of_a_spec_is_a_run_of_its_own(folder: Path) -> None:
    (folder / "test.flow.yaml").write_text(spec("acmeCo/source-counter-a", "acmeCo/source-counter-b-c", count=1))
    taken(folder, *RUN)

    assert len(kept(folder, "snapshots__a_capture__capture.stdout.json")) == 1
    assert kept(folder, "snapshots__b_c_state__capture.stdout.json") == [{"bindingStateV1": {"numbers": {"n": 0}}}]


@pytest.mark.parametrize("names", [("acmeCo/a-b", "acmeCo/a_b"), ("acmeCo/a", "other/a"), ("acmeCo/a", "acmeCo/A")])
def test_captures_that_would_be_kept_in_the_same_files_are_refused(names: tuple[str, str], folder: Path) -> None:
    (folder / "test.flow.yaml").write_text(spec(*names, count=1))

    with pytest.raises(HeadwaterError, match=f"{names[0]} and {names[1]} would both be kept as .*: rename one"):
        taken(folder)
    assert not (folder / "tests").exists()


def test_a_capture_that_goes_on_is_asked_to_end_and_that_is_told(folder: Path) -> None:
    (folder / "test.flow.yaml").write_text(spec(count=100_000, pause_seconds=0.01))
    logs: list[Log] = []
    question = Question(folder=folder, kinds=RUN, launch=lambda task: engines.launch(task, logs.append), seconds=0.4)
    take(question)

    assert [each.message[:46] for each in logs if each.level == "warn"] == [
        "it did not end by itself within 0.4 s, and was"
    ]


def test_what_nothing_gives_any_more_is_told_and_removed(copy: Path) -> None:
    snapshots = copy / "tests" / "snapshots"
    for run in ("a_discover", "a_capture", "a_state", "b_capture"):  # as a spec of two captures has left them
        (snapshots / f"snapshots__{run}__capture.stdout.json").write_text("[]")
    question = Question(folder=copy)
    found = changes(question, take(question))
    write(found)

    assert ["nothing of the connector gives it any more" in change.told() for change in found] == [True] * 4
    assert sorted(path.name for path in snapshots.iterdir()) == sorted(NAMES)


def test_a_connector_that_fails_leaves_what_is_kept(copy: Path) -> None:
    (copy / "test.flow.yaml").write_text(spec(mood="refuse"))
    before = {path: path.read_bytes() for path in copy.rglob("*.json")}

    with pytest.raises(HeadwaterError):
        taken(copy, *RUN)
    assert {path: path.read_bytes() for path in copy.rglob("*.json")} == before


def test_a_broken_snapshot_is_a_difference(copy: Path) -> None:
    question = Question(folder=copy, kinds=RUN)
    (copy / "tests" / "snapshots" / NAMES[3]).write_text("{")

    assert [change.path.name for change in changes(question, take(question))] == [NAMES[3]]


def test_a_folder_without_a_flow_spec_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(HeadwaterError, match=r"test\.flow\.yaml is no file: write one, or name it"):
        take(Question(folder=tmp_path))


def test_a_test_fails_with_the_difference_and_what_to_do(folder: Path) -> None:
    Snapshots(folder, update=True).check(*RUN)
    Snapshots(folder, update=False).check(*RUN)

    with pytest.raises(pytest.fail.Exception) as failure:
        Snapshots(folder, update=False).check("state", config={"count": 5})
    assert '+        "n": 4' in str(failure.value)
    assert "headwater snapshot source-counter --update" in str(failure.value)
