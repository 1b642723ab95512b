"""The files of a registry, made of entries that are JSON already."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import yaml

from python.registry.generation.registries import (
    Entries,
    Place,
    composite,
    entries_of,
    registry,
    secret_names,
    secrets_mask,
)


def raw(name: str, **members: Any) -> msgspec.Raw:
    path = f"metadata/airbyte/{name}/1.0.0/metadata.yaml"
    made = {"name": name, "generated": {"source_file_info": {"metadata_file_path": path}}, **members}
    return msgspec.Raw(json.dumps(made).encode())


def test_sources_and_destinations_are_apart() -> None:
    told = json.loads(registry([("a", "source", raw("a")), ("b", "destination", raw("b")), ("c", "source", raw("c"))]))

    assert {section: [each["name"] for each in entries] for section, entries in told.items()} == {
        "sources": ["a", "c"],
        "destinations": ["b"],
    }


def test_an_empty_registry_has_both_sections() -> None:
    assert json.loads(registry([])) == {"sources": [], "destinations": []}


@pytest.mark.parametrize("kinds", ["", "ac", "abcd"])
def test_entries_are_found_again_by_their_repository(kinds: str) -> None:
    places: dict[str, Place] = {}
    data = registry([(name, "source" if name in kinds else "destination", raw(name)) for name in "abcd"], places)

    found = {repository: json.loads(bytes(each))["name"] for repository, each in entries_of(data, places)}

    assert found == {name: name for name in "abcd"}
    assert sum(len(section) for section in json.loads(data).values()) == 4


def test_the_composite_registry_says_where_each_connector_is() -> None:
    both: Entries = {"oss": raw("a", of="oss"), "cloud": raw("a", of="cloud")}

    told = json.loads(
        composite([("a", "source", both), ("b", "source", {"cloud": raw("b", of="cloud")}), ("c", "source", {})])
    )

    assert [(each["name"], each["of"], each["availability"]) for each in told["sources"]] == [
        ("a", "oss", ["cloud", "oss"]),
        ("b", "cloud", ["cloud"]),
    ]


def test_secrets_are_found_at_any_depth() -> None:
    spec = {
        "properties": {
            "token": {"type": "string", "airbyte_secret": True},
            "name": {"type": "string"},
            "auth": {"oneOf": [{"properties": {"key": {"airbyte_secret": True}}}]},
            "properties": {"properties": {"inner": {"airbyte_secret": True}, "not": {"airbyte_secret": "yes"}}},
        }
    }

    assert sorted(secret_names(spec)) == ["inner", "key", "token"]


def test_the_mask_names_each_secret_once() -> None:
    assert yaml.safe_load(secrets_mask(["b", "a", "b", 'odd: "name"'])) == {"properties": ["a", "b", 'odd: "name"']}
    assert yaml.safe_load(secrets_mask([])) == {"properties": []}
