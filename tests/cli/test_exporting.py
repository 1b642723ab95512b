"""`headwater manifest export`: what it refuses, and what it says. That what it exports runs is tested end to end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from python.builder.export import layouts
from python.builder.export.answers import Answers
from python.builder.export.order import Order
from python.cli.commands import headwater
from python.importing.scaffold.examples import Example
from tests.builder.export.made import MANIFEST, with_stream

ROOT = Path(__file__).parent.parent.parent

pytest.importorskip("airbyte_cdk")


@pytest.fixture(autouse=True)
def _nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connector is not started, and says so."""

    def answers(ordered: Order, specification: object) -> Answers:
        unread = {"items": "nothing was recorded"} if ordered.recording else {}
        return Answers(given=Example({}), config={}, problem="it was not asked", unread=unread)

    monkeypatch.setattr(layouts, "answers", answers)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "manifest.yaml").write_text(MANIFEST)
    return tmp_path


def export(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(headwater, ["manifest", "export", *arguments])
    assert done.exit_code == status, done.output
    return done.output


def test_what_was_done_is_told(home: Path) -> None:
    assert export("manifest.yaml", "--to", "source-shop").splitlines() == [
        "source-shop: 12 files added, new version 0.0.1",
        "Its bindings are not known: it was not asked",
        "source-shop runs in a repository of Headwater: move it into one, where connectors have their folders",
        "What comes next:",
        "  headwater run --source source-shop/test.flow.yaml",
    ]


def test_foreign_code_is_run_only_where_that_is_allowed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def answers(ordered: Order, specification: object) -> Answers:
        asked.append(ordered.ask)
        return Answers(given=Example({}), config={}, problem="" if ordered.ask else ordered.unasked)

    monkeypatch.setattr(layouts, "answers", answers)
    (home / "components.py").write_text("print('run')\n")
    without = export("manifest.yaml", "--to", "source-shop")
    allowed = export("manifest.yaml", "--to", "source-shop", "--allow-custom-code")

    assert "Its bindings are not known: it has components.py; --allow-custom-code runs it" in without
    assert "not known" not in allowed
    assert asked == [False, True]


def test_a_manifest_without_code_is_started_unasked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def answers(ordered: Order, specification: object) -> Answers:
        asked.append(ordered.ask)
        return Answers(given=Example({}), config={})

    monkeypatch.setattr(layouts, "answers", answers)
    export("manifest.yaml", "--to", "source-shop")

    assert asked == [True]


def test_the_same_once_more_is_the_same_version(home: Path) -> None:
    export("manifest.yaml", "--to", "source-shop")

    assert "source-shop: 0 files added, the same version 0.0.1" in export("manifest.yaml", "--to", "source-shop")


def test_the_next_version_is_told_with_what_breaks_and_what_is_gone(home: Path) -> None:
    export("manifest.yaml", "--to", "source-shop", "--form", "airbyte-manifest-only")
    (home / "source-shop" / "spec.yaml").write_text("{}")
    (home / "manifest.yaml").write_text(MANIFEST.replace("primary_key: id", "primary_key: total"))
    told = export("manifest.yaml", "--to", "source-shop", "--form", "airbyte-manifest-only", "--force").splitlines()

    assert "removed: source-shop/spec.yaml" in told
    assert "changed: source-shop/manifest.yaml" in told
    assert [line for line in told if line.startswith("breaks: binding orders")]
    assert told[-2] == "source-shop: 0 files added, next version 0.1.0"


def test_streams_that_a_recording_lacks_are_told(home: Path) -> None:
    (home / "recording").mkdir()
    told = export("manifest.yaml", "--to", "source-shop", "--recording", "recording")

    assert "Its tests do not capture items, which was not recorded as a whole" in told


def test_as_json_it_is_one_line(home: Path) -> None:
    told = json.loads(export("manifest.yaml", "--to", "source-shop", "--json"))

    assert (told["version"], told["hosts"], told["breaking"]) == ("0.0.1", ["${shop}.example.com"], [])
    assert "manifest.yaml" in told["added"]


def test_spec_and_schemas_beside_the_manifest_are_taken_in(home: Path) -> None:
    spec = MANIFEST.index("# What a user fills in.")
    (home / "manifest.yaml").write_text(MANIFEST[:spec])
    (home / "spec.yaml").write_text("connectionSpecification: {properties: {shop: {type: string}, token: {}}}")
    told = export("manifest.yaml", "--to", "source-shop")

    assert "done: /spec: spec.yaml is taken in" in told
    assert "connection_specification:" in (home / "source-shop" / "manifest.yaml").read_text()


def test_a_manifest_that_the_linter_refuses_is_not_exported_unasked(home: Path) -> None:
    (home / "manifest.yaml").write_text(MANIFEST.replace("config['shop']", "config['shpo']"))
    told = export("manifest.yaml", "--to", "source-shop", status=2)

    assert "/definitions/requester/url: error: the spec has no `config.shpo`; did you mean shop?" in told
    assert "nothing is exported: mend the manifest, or say --force" in told
    assert not (home / "source-shop").exists()
    export("manifest.yaml", "--to", "source-shop", "--force")


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        (["none.yaml", "--to", "source-shop"], "none.yaml cannot be read: no such file or directory"),
        (["manifest.yaml", "--to", "shop"], "'shop' is no name for a connector: want source-x"),
        (["manifest.yaml", "--to", "Source-Shop"], "is no name for a connector"),
        (["manifest.yaml", "--to", "none/source-shop"], "none is no folder: make it first"),
        (
            ["manifest.yaml", "--to", "source-shop", "--recording", "none"],
            "none is no folder: want the one that a test",
        ),
        (["manifest.yaml", "--to", "source-shop", "--values", "none"], "none cannot be read"),
        (["manifest.yaml", "--to", "source-shop", "--values", "list.json"], "list.json holds no object"),
        (["manifest.yaml", "--to", "source-shop", "--icon", "none"], "none cannot be read"),
        (["manifest.yaml", "--to", "source-shop", "--icon", "list.json"], "list.json is no SVG"),
        (["manifest.yaml", "--to", "source-shop", "--cdk", "none"], "none is no folder, and no interpreter"),
        (["broken.yaml", "--to", "source-shop"], "broken.yaml: line 2"),
        (["empty.yaml", "--to", "source-shop"], "is empty"),
        ([".", "--to", "manifest.yaml"], "is no name for a connector"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_leaves_nothing(arguments: Sequence[str], want: str, home: Path) -> None:
    (home / "list.json").write_text("[]")
    (home / "broken.yaml").write_text("a: [\n")
    (home / "empty.yaml").touch()
    before = sorted(home.rglob("*"))
    told = export(*arguments, status=2)

    assert want in told
    assert "Traceback" not in told
    assert sorted(home.rglob("*")) == before


@pytest.fixture
def repository(home: Path) -> Path:
    """A repository of ours whose uv always fails."""
    (home / "pyproject.toml").write_text('[project]\nname = "headwater"\n')
    (home / "python").mkdir()
    (home / "python" / "activate.sh").touch()
    workflow = home / ".github" / "workflows" / "python.yaml"
    workflow.parent.mkdir(parents=True)
    shutil.copy(ROOT / ".github" / "workflows" / "python.yaml", workflow)
    uv = home / ".venv" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text("#!/bin/sh\necho error: there is no network >&2\nexit 1\n")
    uv.chmod(0o755)
    return home


def test_in_a_repository_of_ours_ci_knows_the_connector_and_a_lock_that_fails_is_told(repository: Path) -> None:
    told = export("manifest.yaml", "--to", "source-shop")

    assert "It has no lock yet (error: there is no network): uv lock --project source-shop" in told
    matrix = (repository / ".github" / "workflows" / "python.yaml").read_text()
    assert "- { connector: source-shop, connector_type: capture, version: 0.0.1 }" in matrix


def test_in_a_folder_of_it_the_connector_has_to_be_moved(repository: Path) -> None:
    (repository / "more").mkdir()

    assert "is not in" in export("manifest.yaml", "--to", "more/source-shop")


def test_without_lock_neither_is_written(repository: Path) -> None:
    told = export("manifest.yaml", "--to", "source-shop", "--no-lock")

    assert "lock" not in told
    assert "source-shop" not in (repository / ".github" / "workflows" / "python.yaml").read_text()
    (repository / "manifest.yaml").write_text(with_stream("items"))
    told = export("manifest.yaml", "--to", "source-shop", "--no-lock", "--force")
    assert "next version 0.0.2" in told
