"""`headwater release --bucket`: a repository with one connector whose release is uploaded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from python import cli
from python.cli.commands import headwater
from tests.cli.test_releasing import Repository, binding
from tests.registry.metadata.metadata_files import RIGHT, changed

NAME = "airbyte/source-weather"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.chdir(tmp_path)
    made = Repository(tmp_path)
    made.write("metadata.yaml", RIGHT)
    made.commit()
    return made


@pytest.fixture
def release() -> Callable[..., Result]:
    given = ["release", "source-x", "--no-ask", "--bucket", "bucket"]
    return lambda *options: CliRunner().invoke(headwater, [*given, *options])


def test_a_release_is_uploaded_with_its_spec_and_catalog(
    repository: Repository, release: Callable[..., Result]
) -> None:
    done = release()

    assert (done.exit_code, f"{NAME}:1.4.0: uploaded, in " in done.output) == (0, True)
    names = {path.name for path in (repository.root / "bucket" / "metadata" / NAME / "1.4.0").iterdir()}
    assert {"metadata.yaml", "doc.md", "spec.json", "catalog.json"} <= names


def test_the_same_release_again_is_fine(repository: Repository, release: Callable[..., Result]) -> None:
    release()
    repository.commit()
    release("--check")

    done = release("--check")

    assert (done.exit_code, "there already" in done.output) == (0, True)


def test_what_is_no_release_is_not_uploaded(repository: Repository, release: Callable[..., Result]) -> None:
    assert release("--check").exit_code == 1
    assert not (repository.root / "bucket").exists()


def test_a_tag_that_says_another_version_is_refused(repository: Repository, release: Callable[..., Result]) -> None:
    release()
    repository.commit()
    repository.keep("discover", [binding(key=["/n"])])
    repository.commit()

    done = release()

    assert done.exit_code == 2
    assert "VERSION is v2, and dockerImageTag in metadata.yaml is 1.4.0: want one that begins with 2" in done.stderr


def test_what_breaks_is_uploaded_with_its_entry_alone(repository: Repository, release: Callable[..., Result]) -> None:
    release()
    repository.commit()
    repository.keep("discover", [binding(key=["/n"])])
    repository.write("metadata.yaml", changed("data.dockerImageTag", "2.0.1").decode())
    assert release().exit_code == 1

    entry = {"2.0.0": {"upgradeDeadline": "2026-12-01", "message": "Another key."}}
    text = changed("data.dockerImageTag", "2.0.0").decode()
    repository.write("metadata.yaml", changed("data.releases.breakingChanges", entry, text).decode())

    assert release().exit_code == 0


def test_a_connector_without_metadata_is_told_what_to_do(
    repository: Repository, release: Callable[..., Result]
) -> None:
    (repository.folder / "metadata.yaml").unlink()

    done = release()

    assert (done.exit_code, "source-x has no metadata.yaml" in done.stderr) == (2, True)


def test_a_release_without_the_tools_for_registries_is_no_traceback(
    repository: Repository, release: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "python.cli.publishing", None)
    monkeypatch.delattr(cli, "publishing", raising=False)

    done = release()

    assert (done.exit_code, "pip install 'headwater[registry]'" in done.stderr) == (2, True)
