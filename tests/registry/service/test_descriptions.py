from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from python.importing.comparing import compare
from python.importing.snapshots import Run, Snapshot
from python.registry.service.descriptions import DescriptionError, of_flow, snapshot
from python.registry.service.uploading import Outcome
from python.registry.store.memory import MemoryStore
from tests.registry.service.folders import CATALOG, SPEC, connector, uploaded

FLOWS: dict[str, Any] = {
    "protocol": 3032023,
    "configSchema": {"type": "object"},
    "resourceConfigSchema": {"type": "object"},
    "documentationUrl": "https://example.com",
    "resourcePathPointers": ["/table"],
}
BINDING: dict[str, Any] = {
    "recommendedName": "a",
    "resourceConfig": {"table": "a"},
    "key": ["/id"],
    "documentSchema": {},
}


def files(**values: Any) -> dict[str, bytes]:
    return {f"{name}.json": json.dumps(value).encode() for name, value in values.items()}


def test_what_a_connector_of_flows_says_comes_back_as_it_was() -> None:
    said = Snapshot(name="x", version="1", spec=FLOWS, runs={"": Run(bindings=(BINDING,)), "b": Run(bindings=())})

    assert snapshot("x", "1", of_flow(said)) == said


def test_airbytes_spec_and_catalog_are_as_the_classifier_wants_them() -> None:
    found = snapshot("x", "1", files(spec=SPEC, catalog=CATALOG))

    assert found.spec is not None
    assert found.spec["configSchema"] == SPEC["connectionSpecification"]
    assert found.runs[""].bindings is not None
    assert [(each["recommendedName"], each["key"]) for each in found.runs[""].bindings] == [
        ("current", ["/id"]),
        ("current, sync mode full_refresh", []),
        ("current, sync mode incremental", []),
    ]
    assert compare(found, found).differences == ()


def test_what_is_not_given_is_not_known() -> None:
    assert snapshot("x", "1", {}) == Snapshot(name="x", version="1")


@pytest.mark.parametrize(
    "given",
    [
        {"spec.json": b"{"},
        {"spec.json": b"[]"},
        {"spec.json": b"\xff"},
        files(spec={"type": "SPEC", "spec": SPEC}),
        files(spec={"connectionSpecification": "object"}),
        files(catalog={}),
        files(catalog={"streams": [1]}),
        files(catalog={"streams": [{"json_schema": {}}]}),
        files(catalog={"bindings": []}),
    ],
)
def test_what_cannot_be_understood_is_refused(given: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match=r"x: (spec|catalog)\.json: "):
        snapshot("x", "1", given)

    folder = connector(tmp_path / "c")
    for name, data in given.items():
        (folder / name).write_bytes(data)
    done = uploaded(MemoryStore(), folder)
    assert (done.outcome, [each.rule for each in done.findings]) == (Outcome.INVALID, ["description"])
