from __future__ import annotations

from typing import Any

import pytest

from python.registry.metadata.checking import check
from python.registry.metadata.findings import Severity, errors, told
from tests.registry.metadata.metadata_files import REMOVE, RIGHT, changed

EVERYTHING = (
    RIGHT
    + """\
  icon: weather.svg
  connectorBuildOptions: {baseImage: "docker.io/airbyte/python-connector-base:4.0.0@sha256:00"}
  connectorTestSuitesOptions:
    - suite: acceptanceTests
      testSecrets: [{name: SECRET, fileName: config.json, secretStore: {type: GSM, alias: store}}]
      testConnections: [{name: weather, id: one}]
  supportsDbt: false
  supportsNormalization: false
  externalDocumentationUrls:
    - {title: Status, url: "https://status.example.com", type: status_page, requiresLogin: false}
  maxSecondsBetweenMessages: 5400
  protocolVersion: 0.2.0
  erdUrl: https://dbdocs.io/x
  supportLevel: certified
  allowedHosts: {hosts: ["${host}", "*.example.com"], more: kept}
  releases:
    rolloutConfiguration:
      {enableProgressiveRollout: false, initialPercentage: 0, maxPercentage: 100, advanceDelayMinutes: 10}
    migrationDocumentationUrl: https://docs.airbyte.com/m
    breakingChanges:
      1.0.0:
        upgradeDeadline: 2024-03-01
        message: Streams are called otherwise.
        deadlineAction: auto_upgrade
        migrationDocumentationUrl: https://docs.airbyte.com/m#1.0.0
        scopedImpact: [{scopeType: stream, impactedScopes: [current]}]
  normalizationConfig: {normalizationRepository: a/n, normalizationTag: 0.1.0, normalizationIntegrationType: postgres}
  suggestedStreams: {streams: [current]}
  resourceRequirements:
    default: {cpu_request: "0.5", cpu_limit: "1", memory_request: 1Gi, memory_limit: 2Gi}
    jobSpecific: [{jobType: check_connection, resourceRequirements: {memory_limit: 800Mi}}]
  ab_internal: {sl: 300, ql: 400, isEnterprise: false, requireVersionIncrementsInPullRequests: true, more: kept}
  remoteRegistries: {pypi: {enabled: true, packageName: airbyte-source-weather}}
  supportsRefreshes: true
  supportsFileTransfer: true
  supportsDataActivation: true
  generated: {git: {commit_sha: abc}, sbomUrl: "https://example.com/s"}
  connectorIPCOptions:
    dataChannel: {version: 0.0.1, supportedSerialization: [JSONL, PROTOBUF], supportedTransport: [STDIO, SOCKET]}
"""
)


def found(data: bytes, *, lenient: bool = False) -> list[tuple[str, str]]:
    return [(each.rule, each.pointer) for each in check(data, lenient=lenient).findings]


def test_a_file_that_is_right_has_no_findings() -> None:
    assert found(RIGHT.encode()) == []


def test_every_field_of_airbytes_schema_is_taken_and_given_back() -> None:
    checked = check(EVERYTHING.encode())

    assert checked.findings == ()
    assert checked.metadata is not None
    given = checked.metadata.as_json()["data"]
    expected = {
        **checked.document.value["data"],
        "releaseDate": "2024-02-01",
        "releases": {
            **checked.document.value["data"]["releases"],
            "breakingChanges": {
                "1.0.0": {
                    **checked.document.value["data"]["releases"]["breakingChanges"]["1.0.0"],
                    "upgradeDeadline": "2024-03-01",
                }
            },
        },
    }
    assert given == expected


@pytest.mark.parametrize(
    ("at", "value", "rule"),
    [
        ("metadataSpecVersion", REMOVE, "missing"),
        ("more", 1, "unknown"),
        ("data.more", 1, "unknown"),
        *((f"data.{name}", REMOVE, "missing") for name in ("name", "definitionId", "connectorType", "license")),
        *((f"data.{name}", REMOVE, "missing") for name in ("dockerRepository", "dockerImageTag", "documentationUrl")),
        *((f"data.{name}", REMOVE, "missing") for name in ("githubIssueLabel", "connectorSubtype", "releaseStage")),
        ("data.definitionId", "weather", "value"),
        ("data.connectorType", "tap", "value"),
        ("data.dockerRepository", "../weather", "value"),
        ("data.dockerRepository", "airbyte/source-weather:1", "value"),
        ("data.dockerImageTag", 1.4, "type"),
        ("data.dockerImageTag", "a b", "value"),
        ("data.documentationUrl", "docs.airbyte.com", "value"),
        ("data.documentationUrl", "javascript:alert(1)", "value"),
        ("data.releaseDate", "2024-13-01", "value"),
        ("data.connectorSubtype", "web", "value"),
        ("data.supportLevel", "gold", "value"),
        ("data.tags", "language:python", "type"),
        ("data.registryOverrides.oss.enabled", "yes", "type"),
        ("data.registryOverrides.oss.tag", "1", "unknown"),
        ("data.allowedHosts.hosts", "example.com", "type"),
        ("data.ab_internal.sl", 150, "value"),
        ("data.maxSecondsBetweenMessages", "many", "type"),
        ("data.releases.breakingChanges", {}, "value"),
        ("data.dockerRepository", "a/" + "b" * 300, "value"),
        ("data.dockerImageTag", "1.4.0+7", "value"),
        ("data.releaseDate", 20240101, "value"),
        ("data.definitionId", 7, "value"),
        ("data.releases.rolloutConfiguration.advanceDelayMinutes", 9, "value"),
        ("data.connectorIPCOptions.dataChannel", REMOVE, "missing"),
    ],
)
def test_each_thing_that_is_wrong_is_told_at_its_place(at: str, value: Any, rule: str) -> None:
    text = RIGHT + "  connectorIPCOptions: {dataChannel: 1}\n" if at.endswith("dataChannel") else RIGHT

    assert found(changed(at, value, text)) == [(rule, "/" + at.replace(".", "/"))]


def test_all_errors_are_told_at_once_with_line_and_column() -> None:
    text = RIGHT.replace("releaseStage: alpha", "releaseStage: alfa").replace("license: MIT", "licence: MIT")

    assert told("m.yaml", check(text.encode()).findings).splitlines() == [
        "m.yaml:2:1: error: /data/license: license is missing. Write license: as MIT. [missing]",
        (
            "m.yaml:9:3: error: /data/licence: licence is nothing that metadata has here. "
            "Leave it out or write license, if that is meant. [unknown]"
        ),
        (
            "m.yaml:12:3: error: /data/releaseStage: got 'alfa', want one of 'alpha', 'beta', "
            "'generally_available' or 'custom'. Write alpha, if that is meant. [value]"
        ),
    ]


def test_a_number_where_text_is_wanted_is_to_be_quoted() -> None:
    (finding,) = check(RIGHT.replace('"1.0"', "1.0").encode()).findings

    assert "Quote it" in finding.fix


def test_unknown_members_are_warnings_to_the_lenient_and_left_out() -> None:
    checked = check(changed("data.registryOverrides.oss.more", 1), lenient=True)

    assert [each.severity for each in checked.findings] == [Severity.WARNING]
    assert checked.metadata is not None
    assert "more" not in checked.metadata.as_json()["data"]["registryOverrides"]["oss"]


def test_other_errors_stay_errors_to_the_lenient() -> None:
    checked = check(changed("data.more", 1, changed("data.name").decode()), lenient=True)

    assert checked.metadata is None
    assert [(each.rule, each.pointer) for each in errors(checked.findings)] == [("missing", "/data/name")]


def test_the_old_name_of_overrides_is_taken_and_given_back_as_the_new_one() -> None:
    checked = check(RIGHT.replace("registryOverrides", "registries").encode())

    assert checked.metadata is not None
    assert checked.metadata.data.overrides.oss is not None
    assert checked.metadata.as_json()["data"]["registryOverrides"]["oss"] == {"enabled": True}
    assert "registries" not in checked.metadata.as_json()["data"]


def test_both_names_of_overrides_are_one_too_many() -> None:
    (finding,) = check((RIGHT + "  registries: {oss: {enabled: true}}\n").encode()).findings

    assert "registries is the old name of registryOverrides" in finding.message


def test_null_is_as_if_it_were_left_out() -> None:
    checked = check(changed("data.supportLevel", None))

    assert checked.metadata is not None
    assert "supportLevel" not in checked.metadata.as_json()["data"]


@pytest.mark.parametrize("data", [b"[]", b"text", b"1", b"- data"])
def test_what_is_no_object_is_told(data: bytes) -> None:
    (finding,) = check(data).findings

    assert (finding.rule, finding.line) == ("type", 1)


@pytest.mark.parametrize("version", ["01.0.0", "\u0661.0.0", "1" * 5000 + ".0.0", "1.0", "1.0.0-rc.1"])
def test_what_breaks_is_named_by_versions_as_semantic_versioning_has_them(version: str) -> None:
    entry = {version: {"upgradeDeadline": "2026-01-01", "message": "x"}}

    assert [rule for rule, _ in found(changed("data.releases.breakingChanges", entry))] == ["value"]


def test_null_is_as_if_it_were_left_out_where_there_is_a_default_too() -> None:
    text = RIGHT.replace("  tags:\n    - language:python\n", "  tags:\n  supportsRefreshes:\n")
    checked = check(changed("data.releases.rolloutConfiguration", {"maxPercentage": None}, text))

    assert checked.findings == ()
    assert checked.metadata is not None
    assert checked.metadata.data.tags == []


def test_what_is_wrong_leaves_a_sketch_of_the_rest() -> None:
    checked = check(changed("data.name", 1))

    assert checked.metadata is None
    assert checked.doubtful == {"name"}
    assert checked.sketch is not None
    assert checked.sketch.data.tags == ["language:python"]


def test_what_is_no_connector_at_all_leaves_none() -> None:
    assert check(b"data: []").sketch is None


def test_a_name_that_would_break_the_line_is_escaped() -> None:
    text = told("m.yaml", check(RIGHT.encode() + b'  "a\\n\\e[31m": 1\n').findings)

    assert text.splitlines() == [text]
    assert "/data/a\\n\\x1b[31m" in text
