"""`headwater compare`: what its arguments may be, and what its exit status says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from python.cli.commands import headwater

ROOT = Path(__file__).parent.parent.parent
SPEC: dict[str, Any] = {"protocol": 3032023, "configSchema": {"properties": {"a": {"type": "string"}}}}


def call(*arguments: str) -> Result:
    return CliRunner().invoke(headwater, ["compare", *arguments])


@pytest.fixture
def sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    narrow = {**SPEC, "configSchema": {**SPEC["configSchema"], "required": ["a"]}}
    for name, value in (("old", SPEC), ("new", narrow)):
        (tmp_path / f"{name}.json").write_text(json.dumps({"version": "v1", "spec": value}))
    (tmp_path / "raised.json").write_text(json.dumps({"version": "v2", "spec": narrow}))
    return tmp_path


@pytest.mark.usefixtures("sides")
def test_the_exit_status_says_whether_the_version_was_raised_enough() -> None:
    assert call("old.json", "old.json").exit_code == 0
    assert call("old.json", "new.json").exit_code == 1
    assert call("old.json", "raised.json").exit_code == 0
    assert call("new.json", "old.json").exit_code == 0


@pytest.mark.usefixtures("sides")
@pytest.mark.parametrize(
    ("options", "begin"),
    [
        ([], "old.json → new.json\n"),
        (["--json"], '{"old":{"name":"old.json"'),
        (["--markdown"], "## Changes from `old"),
    ],
)
def test_it_is_told_in_three_forms(options: list[str], begin: str) -> None:
    told = call("old.json", "new.json", *options)

    assert told.stdout.startswith(begin)
    assert "config-field-required" in told.stdout


@pytest.mark.usefixtures("sides")
@pytest.mark.parametrize(
    ("old", "sentence"),
    [
        ("nope", "nope is no folder, no file, no REVISION:folder of git and no image with a tag"),
        ("image:v1", "a connector is asked with the config of a Flow spec, and new.json/test.flow.yaml is no file"),
        (".", "a connector is asked with the config of a Flow spec, and test.flow.yaml is no file"),
    ],
)
def test_what_is_no_side_is_an_error_in_one_sentence(old: str, sentence: str) -> None:
    told = call(old, "new.json")

    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.startswith(f"headwater: {sentence}")
    assert told.stderr.count("\n") == 1


def test_a_folder_is_what_its_tests_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    told = call("source-bigdata", "source-bigdata")

    assert (told.exit_code, told.stdout.splitlines()[-1]) == (0, "nothing has changed, and VERSION is v1")


@pytest.mark.slow
def test_a_folder_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """And answers what its snapshots hold: `compare` reads both alike."""
    monkeypatch.chdir(ROOT)
    told = call("source-bigdata", "source-bigdata/tests/snapshots/snapshots__discover__capture.stdout.json", "--run")

    assert "source-bigdata/tests/snapshots/snapshots__discover__capture.stdout.json has no spec to compare" in told.stdout
    assert told.stdout.splitlines()[2].startswith("not compared: ")
    assert told.exit_code == 0


@pytest.mark.slow
def test_an_image_is_asked_with_the_config_of_the_other_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = tmp_path / "engine"
    engine.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nexec {sys.executable} -m source-bigdata\n')
    engine.chmod(0o755)
    monkeypatch.setenv("DOCKER_CLI", str(engine))
    monkeypatch.chdir(ROOT)
    told = call("registry.example/source-bigdata:v0", "source-bigdata")

    assert [line.rpartition(" ")[2] for line in (tmp_path / "asked").read_text().splitlines()] == [
        "registry.example/source-bigdata:v0",
        "registry.example/source-bigdata:v0",
    ]
    assert told.stdout.splitlines()[2:] == [
        "not compared: registry.example/source-bigdata:v0 has no documents to compare with source-bigdata",
        "not compared: registry.example/source-bigdata:v0 has no state to compare with source-bigdata",
        "nothing has changed, and VERSION is v1",
    ]
    assert told.exit_code == 0
