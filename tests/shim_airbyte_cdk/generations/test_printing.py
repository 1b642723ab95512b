from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk import config_observation

from python.shim_airbyte_cdk.generations import printing
from python.shim_airbyte_cdk.manifest import ManifestDelegate


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
        print('{"type": "LOG", "log": {"level": "WARN", "message": "slow at 100%"}}')

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("WARNING", "slow at 100%")]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("text", ["plain", "{}", '{"type": "LOG"}', "[1]"])
def test_what_else_is_printed_is_shown(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with printing.overheard(unexpected):
        print(text, end="!")

    assert capsys.readouterr().out == f"{text}!"


def test_what_is_printed_elsewhere_than_to_stdout_is_shown() -> None:
    elsewhere = io.StringIO()

    with printing.overheard(unexpected):
        print('{"type": "CONTROL", "control": {"connectorConfig": {"config": {}}}}', file=elsewhere)

    assert "CONTROL" in elsewhere.getvalue()


MIGRATING: Any = {
    "version": "6.51.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["users"]},
    "streams": [
        {
            "type": "DeclarativeStream",
            "name": "users",
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {"type": "HttpRequester", "url_base": "http://users.test", "path": "/"},
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": []},
                },
            },
            "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}},
        }
    ],
    "spec": {
        "type": "Spec",
        "connection_specification": {"type": "object", "properties": {"key": {"type": "string"}}},
        "config_normalization_rules": {
            "type": "ConfigNormalizationRules",
            "config_migrations": [
                {
                    "type": "ConfigMigration",
                    "transformations": [{"type": "ConfigRemapField", "map": {"old": "new"}, "field_path": ["key"]}],
                }
            ],
        },
    },
}


def test_a_config_that_a_manifest_s_source_migrates_in_its_constructor_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(json.dumps(MIGRATING))
    told: list[Any] = []

    with printing.overheard(told.append):
        ManifestDelegate(manifest)(None, {"key": "old"}, None)

    assert told == [{"key": "new"}]
    assert "new" not in capsys.readouterr().out


def test_the_cdk_prints_again_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    with printing.overheard(unexpected):
        pass
    config_observation.emit_configuration_as_airbyte_control_message({"a": 1})

    assert '"CONTROL"' in capsys.readouterr().out
