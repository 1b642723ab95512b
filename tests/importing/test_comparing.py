from __future__ import annotations

from typing import Any

import pytest

from python.importing.comparing import compare, rules
from python.importing.snapshot_files import of_value
from tests.importing import corpus


def test_there_is_a_pair_for_each_rule() -> None:
    assert sorted(rules()) == [name for name in corpus.NAMES if "." not in name]


@pytest.mark.parametrize("name", corpus.NAMES)
def test_a_pair_differs_as_expected_and_in_nothing_else(name: str) -> None:
    case = corpus.case(name)
    found = compare(*case.snapshots())

    assert sorted((each.rule, each.pointer) for each in found.differences) == sorted(
        (each["rule"], each["pointer"]) for each in case.expect
    )
    assert name.partition(".")[0] in {each["rule"] for each in case.expect}


@pytest.mark.parametrize("name", corpus.NAMES)
def test_a_version_does_not_differ_from_itself(name: str) -> None:
    for side in corpus.case(name).snapshots():
        assert compare(side, side).differences == ()


def test_a_connector_that_left_airbyte_to_flow_is_judged_as_its_importers_did() -> None:
    """What the reference shows of source-notion: metadata may be added, a key must be, and null must go nowhere."""
    user: dict[str, Any] = {"id": {"type": "string"}, "name": {"type": ["null", "string"]}}
    meta = {"type": "object", "properties": {"row_id": {"type": "integer"}}, "required": ["row_id"]}
    resource = {"stream": "users", "syncMode": "full_refresh"}
    shared: dict[str, Any] = {"recommendedName": "users", "key": ["/id"]}
    spec: dict[str, Any] = {"protocol": 3032023, "resourcePathPointers": ["/stream"]}
    old = {
        "spec": {**spec, "resourceConfigSchema": {"properties": {"namespace": {"type": ["string", "null"]}}}},
        "discovered": [
            {
                **shared,
                "resourceConfig": {**resource, "cursorField": ["id"]},
                "documentSchema": {"$schema": "x", "type": "object", "properties": user, "required": ["id"]},
            }
        ],
        "documents": {"acmeCo/users": [{"id": "x", "name": None}]},
    }
    new = {
        "spec": {
            **spec,
            "resourceConfigSchema": {
                "type": "object",
                "title": "ResourceConfig",
                "properties": {"namespace": {"type": "string", "description": "The namespace."}},
                "additionalProperties": False,
            },
        },
        "discovered": [
            {
                **shared,
                "resourceConfig": resource,
                "documentSchema": {"properties": {**user, "_meta": meta}, "x-infer-schema": True},
            },
            {"recommendedName": "pages", "resourceConfig": {"stream": "pages"}, "key": ["/id"]},
        ],
        "documents": {"acmeCo/users": [{"_meta": {"op": "u", "row_id": 0}, "id": "x", "name": None}]},
    }

    found = compare(of_value("old", old), of_value("new", new))

    assert {(each.level.word, each.rule, each.pointer) for each in found.differences} == {
        ("major", "resource-null-refused", "/namespace"),
        ("major", "resource-closed", ""),
        ("minor", "binding-resource-changed", "/resourceConfig/cursorField"),
        ("major", "binding-resource-refused", "/resourceConfig"),
        ("minor", "document-field-optional", "/id"),
        ("major", "binding-key-unsure", "/key"),
        ("minor", "document-field-added", "/_meta"),
        ("minor", "document-inference-began", ""),
        ("minor", "binding-added", ""),
        ("minor", "sample-field-appeared", "/_meta"),
    }
