"""Containers by the client that runs them, with an engine that is a script: it tells of its calls, and runs a shell."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from python.protocol.errors import HeadwaterError
from python.runner import containers, drive

HANGS = "exec sleep 1000"
FAILS = "exit 3"


def launch(folder: Path, connector: str) -> drive.Launch:
    engine = folder / "docker"
    engine.write_text(f'#!/bin/sh\necho "$$ $@" >> {folder}/calls\n[ "$1" = rm ] && exit 0\n{connector}\n')
    engine.chmod(0o755)
    made = containers.new(str(engine))
    return drive.Launch(
        command=made.command("x:v1", ["--env", "A=b c"]),
        connector_type="IMAGE",
        protocol=drive.CAPTURE,
        containers=made,
    )


def calls(folder: Path) -> list[list[str]]:
    return [line.split() for line in (folder / "calls").read_text().splitlines()]


@pytest.mark.parametrize("connector", [HANGS, FAILS])
def test_a_container_whose_client_is_ended_is_removed_by_its_name(tmp_path: Path, connector: str) -> None:
    told = launch(tmp_path, f"echo '{{}}'; {connector}")  # no answer of the protocol: the conversation ends at once
    with contextlib.suppress(HeadwaterError), drive.connected(told):
        pass

    run, removed = calls(tmp_path)
    name = run[4].removeprefix("--name=")
    assert run[1:4] == ["run", "--rm", "--interactive"]
    assert run[5:] == ["--env", "A=b", "c", "x:v1"]
    assert name.rpartition("-")[2] == run[0]
    assert removed[1:] == ["rm", "--force", name]


def test_one_that_ends_by_itself_is_left_to_its_engine(tmp_path: Path) -> None:
    answer = (
        '{"spec":{"protocol":3032023,"configSchema":{},"resourceConfigSchema":{},"documentationUrl":"https://a.b"}}'
    )
    with drive.connected(launch(tmp_path, f"echo '{answer}'")) as connection:
        connection.finish()

    assert [call[1] for call in calls(tmp_path)] == ["run"]


def test_no_two_launches_have_containers_of_one_name() -> None:
    assert containers.new("docker").prefix != containers.new("docker").prefix


def test_an_engine_that_is_gone_is_no_failure(tmp_path: Path) -> None:
    containers.new(str(tmp_path / "none")).remove(1)
