from __future__ import annotations

from typing import Any

import pytest

from python.registry.metadata.checking import check
from python.registry.metadata.validators import VALIDATORS, Subject, validated
from tests.registry.metadata.metadata_files import RIGHT, changed

ROLLOUT = "data.releases.rolloutConfiguration"
BREAKING = {"upgradeDeadline": "2026-01-01", "message": "x"}
STRICT = {"dockerRepository": "airbyte/source-weather-strict", "dockerImageTag": "1.3.0"}
PYPI = {"enabled": True, "packageName": "x"}
DIGEST = "sha256:" + "0" * 64


def found(data: bytes, **options: Any) -> list[str]:
    metadata = check(data).metadata
    assert metadata is not None, check(data).findings
    return [each.rule for each in validated(Subject(metadata=metadata, **options))]


def tagged(tag: str, text: str = RIGHT) -> str:
    return changed("data.dockerImageTag", tag, text).decode()


def test_what_is_right_is_valid() -> None:
    assert found(RIGHT.encode(), files=frozenset({"doc.md", "icon.svg"})) == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (tagged("v1"), "semantic-version"),
        (tagged("1.4"), "semantic-version"),
        (tagged("1.4.0.1"), "semantic-version"),
        (changed("data.registryOverrides.oss.dockerImageTag", "latest"), "semantic-version"),
        (changed("data.tags", ["language:python", "python"]), "tag-form"),
        (changed("data.tags", ["cdk:python"]), "language-tag"),
        (tagged("2.0.0"), "breaking-change-entry"),
        (changed("data.releases.breakingChanges", {"1.5.0": BREAKING}), "breaking-change-order"),
        (changed("data.connectorBuildOptions.baseImage", "docker.io/a/b:1"), "base-image-form"),
        (changed("data.remoteRegistries.pypi", PYPI, RIGHT.replace("python", "java")), "pypi-language"),
        (tagged("1.5.0-rc.1"), "rollout"),
        (tagged("2.0.0-rc.1", changed(f"{ROLLOUT}.enableProgressiveRollout", True).decode()), "rollout"),
        (changed(f"{ROLLOUT}.enableProgressiveRollout", True), "rollout"),
        (changed(f"{ROLLOUT}.initialPercentage", 60), "rollout-percentages"),
        (tagged("1.5.0-rc1", changed(f"{ROLLOUT}.enableProgressiveRollout", True).decode()), "candidate-form"),
        (changed("data.registryOverrides.oss.dockerImageTag", "1.3.0"), "pin"),
        (RIGHT.replace("registryOverrides", "registries"), "old-form"),
    ],
)
def test_each_rule_finds_what_breaks_it(text: str | bytes, rule: str) -> None:
    assert found(text if isinstance(text, bytes) else text.encode()) == [rule]


@pytest.mark.parametrize(
    "text",
    [
        tagged("2.0.0", changed("data.releases.breakingChanges", {"2.0.0": BREAKING}).decode()),
        tagged("1.0.0"),
        tagged("1.4.1-preview.g820ce48"),
        tagged("1.4.1-preview.g1", changed("data.registryOverrides.oss.dockerImageTag", "1.4.0").decode()),
        changed("data.registryOverrides.oss", {**STRICT, "enabled": True}).decode(),
        tagged("2.0.0", RIGHT.replace("source-weather\n", "source-declarative-manifest\n", 1)),
        tagged("1.5.0-rc.1", changed(f"{ROLLOUT}.enableProgressiveRollout", True).decode()),
        changed("data.connectorBuildOptions.baseImage", f"docker.io/a/b:1@{DIGEST}").decode(),
        changed("data.connectorBuildOptions.baseImage", f"localhost:5000/a/b:1@{DIGEST}").decode(),
    ],
)
def test_rules_let_pass_what_they_allow(text: str) -> None:
    assert found(text.encode()) == []


def test_a_build_for_trying_out_may_be_of_a_file_with_a_rollout() -> None:
    text = tagged("1.4.1-preview.g1", changed(f"{ROLLOUT}.enableProgressiveRollout", True).decode())

    assert found(text.encode(), is_prerelease=True) == []


def test_pages_and_icons_are_asked_for_where_it_is_known_what_is_there() -> None:
    assert found(RIGHT.encode(), files=frozenset()) == ["documentation", "icon"]


def test_rules_have_names_of_their_own() -> None:
    assert len({each.name for each in VALIDATORS}) == len(VALIDATORS)


def test_a_rule_is_not_asked_about_what_is_doubtful() -> None:
    checked = check(changed("data.tags", 1, tagged("2.0.0")))

    assert checked.sketch is not None
    found = validated(Subject(metadata=checked.sketch), doubtful=checked.doubtful)
    assert [each.rule for each in found] == ["breaking-change-entry"]
