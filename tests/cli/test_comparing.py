"""`headwater compare`: what its arguments may be, and what its exit status says."""

from __future__ import annotations

import json
import os
import subprocess
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
    """And answers what its snapshots hold: its bindings are theirs, and what they lack is said and refused."""
    kept = "source-bigdata/tests/snapshots/snapshots__discover__capture.stdout.json"
    monkeypatch.chdir(ROOT)
    told = call("source-bigdata", kept, "--run")

    *lines, last = told.stdout.splitlines()[2:]
    assert all(line.startswith("not compared: ") for line in lines)
    assert f"not compared: {kept} has no spec to compare with that of source-bigdata" in lines
    assert last == f"nobody can say what has changed: {kept} has no spec, and source-bigdata has one"
    assert told.exit_code == 1


@pytest.mark.slow
def test_an_image_is_asked_with_the_config_of_the_other_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = tmp_path / "engine"
    labels = {"FLOW_RUNTIME_PROTOCOL": "capture", "FLOW_RUNTIME_CODEC": "json"}
    inspected = f"""[ "$2" = inspect ] && exec echo '{json.dumps([{"Config": {"Labels": labels}}])}'"""
    run = f'echo "$@" >> {tmp_path}/asked\nexec {sys.executable} -m source-bigdata'
    engine.write_text(f"#!/bin/sh\n{inspected}\n{run}\n")
    engine.chmod(0o755)
    monkeypatch.setenv("DOCKER_CLI", str(engine))
    monkeypatch.chdir(ROOT)
    told = call("registry.example/source-bigdata:v0", "source-bigdata")

    asked = (tmp_path / "asked").read_text().splitlines()
    assert {line.rpartition(" ")[2] for line in asked} == {"registry.example/source-bigdata:v0"}
    assert told.stdout.splitlines()[2:] == ["nothing has changed, and VERSION is v1"]
    assert told.exit_code == 0


CONNECTOR = """
from python import capture

SCHEMA = {{"type": "object", "properties": {{"n": {{"type": "integer"}}}}, "required": ["n"]}}


class Numbers(capture.Connector[dict, dict, dict]):
    resource_config_schema = {{"type": "object", "properties": {{"name": {{"type": "string"}}}}}}

    def discover(self, config):
        yield capture.discovered("numbers", SCHEMA, key=["/n"], resource={{"name": "numbers"}})

    def open(self, request):
        for binding in request.bindings:
            for n in range(3):
                yield binding.captured({document})
                yield binding.checkpoint({state})


Numbers().main()
"""
INTEGERS = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
FLOW = {
    "captures": {
        "acmeCo/source-numbers": {
            "endpoint": {"local": {"command": [sys.executable, "-m", "source-numbers"], "config": {}}},
            "bindings": [{"resource": {"name": "numbers"}, "target": "acmeCo/numbers"}],
        }
    },
    "collections": {"acmeCo/numbers": {"schema": INTEGERS, "key": ["/n"]}},
}


@pytest.fixture
def revisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two revisions of a connector that keeps no snapshots: other documents, another state."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "source-numbers"
    folder.mkdir()
    (folder / "test.flow.yaml").write_text(json.dumps(FLOW))
    (folder / "VERSION").write_text("v1\n")
    git("init", "--quiet")
    for document, state in (('{"n": n, "text": "a"}', '{"next": n}'), ('{"n": n, "text": n}', '{"last": n}')):
        (folder / "__main__.py").write_text(CONNECTOR.format(document=document, state=state))
        git("add", "--all")
        git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message", state)
    return folder


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull})


def rules(told: Result) -> set[tuple[str, str]]:
    return {(each["rule"], each["pointer"]) for each in json.loads(told.stdout)["differences"]}


CHANGED = {
    ("sample-type-changed", "/text"),
    ("state-member-vanished", "/bindingStateV1/numbers/next"),
    ("state-member-appeared", "/bindingStateV1/numbers/last"),
}


@pytest.mark.slow
@pytest.mark.usefixtures("revisions")
@pytest.mark.parametrize("new", ["HEAD:source-numbers", "source-numbers"])
def test_documents_and_state_of_two_revisions_are_compared_by_running_both(new: str) -> None:
    told = call("HEAD~1:source-numbers", new, "--run", "--json")

    assert rules(told) == CHANGED
    assert json.loads(told.stdout)["unknown"] == []
    assert told.exit_code == 1


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a line for each call of an engine, which has no image."""
    engine = tmp_path / "engine"
    engine.write_text(f"#!/bin/sh\necho $@ >> {tmp_path}/asked\necho no such image >&2\nexit 1\n")
    engine.chmod(0o755)
    monkeypatch.setenv("DOCKER_CLI", str(engine))
    return tmp_path / "asked"


@pytest.mark.usefixtures("revisions")
def test_a_branch_of_the_same_name_does_not_hide_an_image(asked: Path) -> None:
    git("branch", "source-numbers")
    told = call("source-numbers:v1", "source-numbers")

    assert "source-numbers:v1" in asked.read_text()
    assert told.exit_code == 2
    assert "no such image; nor has git's source-numbers a folder v1" in " ".join(told.stderr.split())


@pytest.mark.usefixtures("revisions")
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("main:source-numbers", "main:source-numbers keeps no snapshots"),
        ("main:./source-numbers/", "main:./source-numbers/ keeps no snapshots"),
        ("HEAD:source-nowhere", "HEAD:source-nowhere: the revision has no such folder"),
        ("main:connectors/source-numbers", "main:connectors/source-numbers: the revision has no such folder"),
    ],
)
def test_a_folder_of_a_revision_is_no_image(asked: Path, name: str, sentence: str) -> None:
    git("branch", "--move", "main")
    told = call(name, "source-numbers")

    assert sentence in told.stderr
    assert not asked.exists()


@pytest.mark.slow
@pytest.mark.usefixtures("revisions")
def test_without_a_capture_spec_and_bindings_alone_are_compared() -> None:
    assert rules(call("HEAD~1:source-numbers", "source-numbers", "--run", "--no-capture", "--json")) == set()


@pytest.mark.slow
def test_a_connector_that_fails_is_named_with_what_to_do(revisions: Path) -> None:
    (revisions / "__main__.py").write_text(CONNECTOR.format(document="1 / 0", state="{}"))
    told = call("HEAD~1:source-numbers", "source-numbers", "--run")

    assert (told.exit_code, told.stdout) == (2, "")
    (sentence,) = [line for line in told.stderr.splitlines() if line.startswith("headwater: ")]
    assert sentence.startswith("headwater: source-numbers cannot be asked: ")
    assert sentence.endswith("; to compare spec and bindings alone: --no-capture")


@pytest.mark.usefixtures("revisions")
def test_a_revision_that_keeps_no_snapshots_is_run_on_request_only() -> None:
    told = call("HEAD~1:source-numbers", "HEAD:source-numbers")

    assert told.exit_code == 2
    assert "HEAD~1:source-numbers keeps no snapshots of spec, discover or capture under tests/snapshots" in told.stderr
