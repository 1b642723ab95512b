"""A version's metadata as an entry: Airbyte's rules of overrides, names, constants and defaults."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from python.registry.generation.entries import Facts, Image, Registry, entry, image

FACTS = Facts(spec=msgspec.Raw(b'{"connectionSpecification":{"default":null}}'), source={"metadata_etag": "1"})


def data(**members: Any) -> dict[str, Any]:
    return {
        "connectorType": "source",
        "connectorSubtype": "api",
        "definitionId": "0f0c3a5e-0000-4000-8000-000000000001",
        "name": "Weather",
        "dockerRepository": "airbyte/source-weather",
        "dockerImageTag": "1.4.0",
        "documentationUrl": "https://docs.example.com/weather",
        "registryOverrides": {"oss": {"enabled": True}, "cloud": {"enabled": False}},
        **members,
    }


def made(registry: Registry = "oss", facts: Facts = FACTS, **members: Any) -> dict[str, Any]:
    return dict(msgspec.json.decode(msgspec.json.encode(entry(data(**members), registry, facts))))


def test_an_entry_has_airbytes_names_constants_and_defaults() -> None:
    assert made(tags=["cdk:low-code", "language:python"]) == {
        "sourceDefinitionId": "0f0c3a5e-0000-4000-8000-000000000001",
        "name": "Weather",
        "dockerRepository": "airbyte/source-weather",
        "dockerImageTag": "1.4.0",
        "documentationUrl": "https://docs.example.com/weather",
        "tags": ["cdk:low-code", "language:python"],
        "sourceType": "api",
        "tombstone": False,
        "custom": False,
        "public": True,
        "supportLevel": "community",
        "ab_internal": {"sl": 100, "ql": 100, "isEnterprise": False, "requireVersionIncrementsInPullRequests": True},
        "language": "python",
        "generated": {"source_file_info": {"metadata_etag": "1"}},
        "spec": {"connectionSpecification": {"default": None}},
    }


def test_a_destination_is_told_by_its_own_identity_and_has_a_source_type_all_the_same() -> None:
    told = made(connectorType="destination", connectorSubtype="database")

    assert (told["destinationDefinitionId"], told["sourceType"]) == ("0f0c3a5e-0000-4000-8000-000000000001", "database")
    assert "sourceDefinitionId" not in told


def test_overrides_replace_whole_members_and_their_nulls_none() -> None:
    overrides = {"cloud": {"enabled": True, "name": "Sky", "license": None, "allowedHosts": {"hosts": ["b"]}}}

    told = made("cloud", license="MIT", allowedHosts={"hosts": ["a"], "more": 1}, registryOverrides=overrides)

    assert (told["name"], told["license"], told["allowedHosts"]) == ("Sky", "MIT", {"hosts": ["b"]})


def test_an_override_of_the_subtype_is_the_source_type() -> None:
    told = made(registryOverrides={"oss": {"enabled": True, "connectorSubtype": "file"}})

    assert told["sourceType"] == "file"


def test_unknown_members_pass_and_nulls_do_not_but_in_the_spec() -> None:
    told = made(
        remoteRegistries={"pypi": {"enabled": False, "packageName": None}}, erdUrl=None, novel=[None, {"a": None}]
    )

    assert told["remoteRegistries"] == {"pypi": {"enabled": False}}
    assert told["novel"] == [None, {}]
    assert "erdUrl" not in told


def test_breaking_changes_say_where_to_read_what_to_do() -> None:
    changes = {
        "1.0.0": {"message": "a"},
        "2.0.0": {"message": "b", "migrationDocumentationUrl": "https://b.example.com"},
    }

    told = made(releases={"breakingChanges": changes, "rolloutConfiguration": {"enableProgressiveRollout": True}})

    guide = "https://docs.example.com/weather-migrations"
    assert told["releases"] == {
        "migrationDocumentationUrl": guide,
        "breakingChanges": {
            "1.0.0": {"message": "a", "migrationDocumentationUrl": f"{guide}#1.0.0"},
            "2.0.0": {"message": "b", "migrationDocumentationUrl": "https://b.example.com"},
        },
        "rolloutConfiguration": {"enableProgressiveRollout": True},
    }


def test_empty_releases_are_left_out() -> None:
    assert "releases" not in made(releases={})


def test_what_metadata_does_not_say_comes_from_facts() -> None:
    facts = msgspec.structs.replace(FACTS, icon_url="https://x.example.com/icon.svg", cdk_version="python:6.45.0")

    told = made(facts=facts, generated={"git": {"commit_sha": "a"}}, ab_internal={"ql": 400, "isEnterprise": True})

    assert told["iconUrl"] == "https://x.example.com/icon.svg"
    assert told["packageInfo"] == {"cdk_version": "python:6.45.0"}
    assert told["generated"] == {"git": {"commit_sha": "a"}, "source_file_info": {"metadata_etag": "1"}}
    assert (told["ab_internal"]["ql"], told["ab_internal"]["sl"]) == (400, 100)


@pytest.mark.parametrize(
    ("member", "overrides", "wanted"),
    [
        ("registryOverrides", {"oss": {"enabled": True}}, Image("airbyte/source-weather", "1.4.0")),
        ("registries", {"oss": {"enabled": True, "dockerImageTag": "1.3.0"}}, Image("airbyte/source-weather", "1.3.0")),
        ("registryOverrides", {"oss": {"enabled": False}}, None),
        ("registryOverrides", {"cloud": {"enabled": True}}, None),
    ],
)
def test_which_image_a_registry_names(member: str, overrides: dict[str, Any], wanted: Image | None) -> None:
    told = {**data(registryOverrides=None), member: overrides}

    assert image(told, "oss") == wanted
