"""Derivations and materializations compared and released by what they answer to `spec`."""

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

CONNECTORS = {
    "derive": """
from python import derive

class Connector(derive.Connector[dict, dict, dict]):
    config_schema = {schema}

    @derive.transform("fromNumbers")
    def from_numbers(self, document):
        yield document
""",
    "materialize": """
from python import materialize

class Connector(materialize.Connector[dict, dict, dict]):
    resource_config_schema = {schema}
""",
}
MEMBER = {"derive": "configSchema", "materialize": "resourceConfigSchema"}
AREA = {"derive": "config", "materialize": "resource"}
OLD = {"type": "object", "properties": {"table": {"type": "string", "x-collection-name": True}}}
NEW = {**OLD, "required": ["table"]}


def flow(kind: str, name: str) -> dict[str, Any]:
    endpoint = {"local": {"command": [sys.executable, "-m", name], "config": {}}}
    numbers: dict[str, Any] = {"schema": {"type": "object", "properties": {"n": {"type": "integer"}}}, "key": ["/n"]}
    if kind == "materialize":
        stored = {"endpoint": endpoint, "bindings": [{"resource": {"table": "n"}, "source": "acmeCo/numbers"}]}
        return {"collections": {"acmeCo/numbers": numbers}, "materializations": {f"acmeCo/{name}": stored}}
    transforms = [{"name": "fromNumbers", "source": "acmeCo/numbers", "shuffle": "any", "lambda": {}}]
    derived = {**numbers, "derive": {"using": endpoint, "transforms": transforms}}
    return {"collections": {"acmeCo/numbers": numbers, "acmeCo/derived": derived}}


class Repository:
    """One connector of the protocol `kind`, released once, with a snapshot of its spec."""

    def __init__(self, root: Path, kind: str) -> None:
        self.kind, self.name = kind, f"{kind}-x"
        self.folder = root / self.name
        (self.folder / "tests" / "snapshots").mkdir(parents=True)
        for name, text in {
            "pyproject.toml": "",
            "VERSION": "v1\n",
            "CHANGELOG.md": "# Changelog\n\n## v1\n\n- First version.\n",
            "README.md": f"# {self.name}\n\nA `table`.\n",
            "test.flow.yaml": json.dumps(flow(kind, self.name)),
        }.items():
            (self.folder / name).write_text(text)
        self.git("init", "--quiet", "--initial-branch=main")
        self.says(OLD)
        self.keeps(OLD)
        self.git("add", "--all")
        self.git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message", "one")

    def git(self, *arguments: str) -> None:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
        subprocess.run(["git", *arguments], cwd=self.folder.parent, check=True, env=environment)

    def says(self, schema: object) -> None:
        """The connector's spec has this schema."""
        text = CONNECTORS[self.kind].format(schema=schema)
        (self.folder / "__main__.py").write_text(f"{text}\nConnector().main()\n")

    def keeps(self, schema: object) -> None:
        """The connector's tests keep this schema."""
        other = ({*MEMBER.values()} - {MEMBER[self.kind]}).pop()
        spec = {"protocol": 3032023, MEMBER[self.kind]: schema, other: {"type": "object", "properties": {}}}
        (self.folder / "tests" / "snapshots" / "spec.json").write_text(json.dumps({"spec": spec}))


@pytest.fixture(params=["derive", "materialize"])
def repository(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.chdir(tmp_path)
    return Repository(tmp_path, request.param)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(headwater, [*arguments])


def rules(told: Result) -> list[str]:
    return [each["rule"] for each in json.loads(told.stdout)["differences"]]


def engine(folder: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine whose only image is the connector as it is now."""
    labels = {"FLOW_RUNTIME_PROTOCOL": repository.kind, "FLOW_RUNTIME_CODEC": "json"}
    inspected = f"""[ "$2" = inspect ] && exec echo '{json.dumps([{"Config": {"Labels": labels}}])}'"""
    program = folder / "engine"
    program.write_text(f"#!/bin/sh\n{inspected}\nexec {sys.executable} -m {repository.name}\n")
    program.chmod(0o755)
    monkeypatch.setenv("DOCKER_CLI", str(program))


@pytest.mark.slow
def test_two_revisions_are_compared_by_what_both_answer(repository: Repository) -> None:
    repository.says(NEW)
    told = call("compare", f"HEAD:{repository.name}", repository.name, "--run", "--json")

    assert rules(told) == [f"{AREA[repository.kind]}-field-required"]
    assert told.exit_code == 1


@pytest.mark.slow
def test_an_image_is_compared_by_what_it_answers(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine(tmp_path, repository, monkeypatch)
    assert rules(call("compare", repository.name, "registry.example/x:v1", "--json")) == []
    repository.says(NEW)

    assert rules(call("compare", repository.name, "registry.example/x:v1", "--json")) == [
        f"{AREA[repository.kind]}-field-required"
    ]


@pytest.mark.slow
def test_a_release_holds_the_snapshots_and_the_image_against_what_they_answer(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine(tmp_path, repository, monkeypatch)
    image = ("--image", f"registry.example/{repository.name}:v1")
    assert call("release", repository.name, "--check", *image).exit_code == 0
    repository.says(NEW)

    stale = call("release", repository.name)
    assert stale.exit_code == 1
    assert "its snapshots are not what it says: " in stale.output
    assert f"pytest {repository.name} --snapshot-update" in stale.output
    assert "is not what the snapshots say" in call("release", repository.name, "--check", "--no-ask", *image).output
    repository.keeps(NEW)
    assert f"{repository.name} is v2 since" in call("release", repository.name).output


def test_a_spec_with_several_tasks_wants_the_name_of_one(repository: Repository) -> None:
    spec = flow("materialize", repository.name)
    (task,) = spec["materializations"].values()
    spec["materializations"] = {"acmeCo/one": task, "acmeCo/two": task}
    (repository.folder / "test.flow.yaml").write_text(json.dumps(spec))

    told = call("compare", repository.name, repository.name, "--run")

    assert told.exit_code == 2
    assert "test.flow.yaml has these tasks: acmeCo/one, acmeCo/two; choose one with --name" in told.output
