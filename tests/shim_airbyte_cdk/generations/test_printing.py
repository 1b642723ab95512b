from __future__ import annotations

from typing import Any

import pytest
from airbyte_cdk import config_observation, logger

from python.shim_airbyte_cdk.generations import printing


def test_a_config_that_the_cdk_prints_is_told_and_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Any] = []

    with printing.overheard(told.append):
        config_observation.emit_configuration_as_airbyte_control_message({"token": "rotated"})

    assert told == [{"token": "rotated"}]
    assert capsys.readouterr().out == ""


def test_a_source_that_changes_the_config_it_observes_is_heard() -> None:
    told: list[Any] = []
    observed = config_observation.observe_connector_config({"token": "spent"})

    with printing.overheard(lambda config: told.append(dict(config))):
        observed["token"] = "rotated"

    assert told == [{"token": "rotated"}]


def unexpected(config: Any) -> None:
    pytest.fail(f"told {config}")


def test_a_log_that_an_older_cdk_prints_is_logged_at_its_level(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with printing.overheard(unexpected):
        logger.print('{"type": "LOG", "log": {"level": "WARN", "message": "slow at 100%"}}')  # type: ignore[attr-defined] # same

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("WARNING", "slow at 100%")]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("text", ["plain", "{}", '{"type": "LOG"}', "[1]"])
def test_what_else_is_printed_is_shown(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with printing.overheard(unexpected):
        config_observation.print(text, end="!")  # type: ignore[attr-defined] # what it has inside of `overheard`

    assert capsys.readouterr().out == f"{text}!"


def test_the_cdk_prints_again_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    with printing.overheard(unexpected):
        pass
    config_observation.emit_configuration_as_airbyte_control_message({"a": 1})

    assert '"CONTROL"' in capsys.readouterr().out
