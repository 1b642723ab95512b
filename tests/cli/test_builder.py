from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from python.builder.server import starting
from python.builder.server.settings import Settings
from python.cli.builder import builder


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What servers would have been started with."""
    seen: list[Settings] = []
    monkeypatch.setattr(starting, "run", lambda settings, told: seen.append(settings))
    monkeypatch.delenv("AIRBYTE_ENABLE_UNSAFE_CODE", raising=False)
    return seen


def test_options_stand_above_variables(started: list[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_BUILDER_PORT", "1")
    monkeypatch.setenv("CDK_PYTHON", "/cdk/python")
    options = ["--port", "2", "--cdk", "old=/old", "--project", "p=old", "--allow-custom-code", "--plain"]
    networks = ["--deny-network", "10.0.0.0/8", "--allow-host", "builder", "--deadline", "5"]
    CliRunner().invoke(builder, [*options, *networks], catch_exceptions=False)

    assert started == [
        Settings(
            port=2,
            cdk_python="/cdk/python",
            cdks={"old": "/old"},
            projects={"p": "old"},
            allow_custom_code=True,
            plain=True,
            denied_networks=("10.0.0.0/8",),
            hosts=("builder",),
            deadline_seconds=5,
        )
    ]


def test_without_options_variables_decide(started: list[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_BUILDER_PORT", "1")
    CliRunner().invoke(builder, [], catch_exceptions=False)

    assert started[0].port == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cdk", "old"], "--cdk old is no NAME=VALUE"),
        (["--cdk", "=x"], "--cdk =x is no NAME=VALUE"),
        (["--project", "p=a", "--project", "p=b"], "--project p=b comes twice"),
    ],
)
def test_pairs_that_are_none_are_told(started: list[Settings], options: list[str], said: str) -> None:
    result = CliRunner().invoke(builder, options)

    assert (result.exit_code, result.output) == (2, f"headwater: {said}\n")
    assert started == []


def test_the_description_of_the_routes_is_printed() -> None:
    described: Any = json.loads(CliRunner().invoke(builder, ["--openapi"]).output)

    assert "/v1/stream/read" in described["paths"]
