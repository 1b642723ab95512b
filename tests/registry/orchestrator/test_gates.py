from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest

from python.registry.generation.applying import prepare
from python.registry.generation.candidates import GATES
from python.registry.generation.plans import Plan
from python.registry.generation.snapshots import Manifest, current, manifest_of, path_in
from python.registry.store import Store
from tests.registry.generation.buckets import put
from tests.registry.generation.test_candidates import altered
from tests.registry.orchestrator.orchestrating import bucket, checks, facts, failure, run, steps

pytestmark = pytest.mark.slow  # a run of Dagster takes seconds


def test_every_gate_of_the_library_is_a_check_that_blocks(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")

    found = {each.check_name: each for each in run(store).get_asset_check_evaluations()}

    assert {name for name, each in found.items() if each.blocking} == set(GATES)
    assert all(found[gate].passed and found[gate].severity is dg.AssetCheckSeverity.ERROR for gate in GATES)


def test_a_gate_that_fails_stops_the_run_before_the_switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = bucket(tmp_path)
    put(store, "a")

    def broken(bucket: Store, planned: Plan) -> Manifest:
        made = prepare(bucket, planned)
        assert made is not None
        return manifest_of(store, altered(store, made.id, lambda entries, _: entries["airbyte/source-a"].pop("name")))

    monkeypatch.setattr("python.registry.orchestrator.assets.prepare", broken)

    result = run(store)

    assert not result.success
    assert checks(result) == {**dict.fromkeys(GATES, True), "quarantine": True, "schema": False}
    assert steps(result) == ["metadata", "registry_candidate", "gates"]
    assert current(store) is None


def test_a_click_on_the_pointer_does_not_get_around_a_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = dg.DagsterInstance.ephemeral()
    store = bucket(tmp_path)
    put(store, "a")
    first = run(store, instance=instance, assets=["registry_candidate"])
    name = facts(first, "registry_candidate")["snapshot"]
    store.put(path_in(name, "oss_registry.json"), json.dumps({"sources": [], "destinations": []}).encode())

    result = run(store, instance=instance, assets=["registry_pointer"])

    assert "was changed" in failure(result)
    assert current(store) is None
