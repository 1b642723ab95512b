from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.registry.generation.buckets import put, whole
from tests.registry.orchestrator.orchestrating import bucket, facts, run

pytestmark = pytest.mark.slow  # a run of Dagster takes seconds


def partitions(instance: dg.DagsterInstance) -> list[str]:
    return sorted(instance.get_dynamic_partitions("connectors"))


def entry(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """What a run told of each connector, by repository."""
    found = {}
    for event in result.all_events:
        said: dg.AssetMaterialization | dg.AssetObservation | None = None
        if event.is_step_materialization:
            said = event.step_materialization_data.materialization
        elif event.is_asset_observation:
            said = event.asset_observation_data.asset_observation
        if said and said.asset_key == dg.AssetKey("registry_entry"):
            found[str(said.partition)] = {name: value.value for name, value in said.metadata.items()}
    return found


def test_one_run_tells_of_each_connector_that_changed_and_of_no_other(tmp_path: Path) -> None:
    instance, store = dg.DagsterInstance.ephemeral(), bucket(tmp_path)
    put(store, "a")
    put(store, "b")
    first = entry(run(store, instance=instance))
    put(store, "a", "1.1.0")
    second = entry(run(store, instance=instance))

    assert sorted(first) == partitions(instance) == ["airbyte/source-a", "airbyte/source-b"]
    assert list(second) == ["airbyte/source-a"]
    told = second["airbyte/source-a"]
    path = "metadata/airbyte/source-a/1.1.0/metadata.yaml"
    assert (told["change"], told["version"], told["registries"]) == ("changed", "1.1.0", "oss, cloud")
    assert (told["metadata"], told["snapshot"]) == (path, whole(store))
    assert told["metadata sha256"] == store.get(path).version.sha256
    assert told["metadata generation"] == store.get(path).version.generation


def test_a_connector_that_is_wrong_is_observed_and_not_materialized(tmp_path: Path) -> None:
    instance, store = dg.DagsterInstance.ephemeral(), bucket(tmp_path)
    put(store, "a")
    run(store, instance=instance)
    store.put(put(store, "a", "1.1.0"), b"nonsense")

    result = run(store, instance=instance)

    told = entry(result)["airbyte/source-a"]
    assert told["change"] == "quarantined"
    assert told["stays at"] == "1.0.0"
    assert told["why"].startswith("metadata/airbyte/source-a/1.1.0/metadata.yaml is not valid")
    assert not [each for each in result.get_asset_materialization_events() if each.partition]


def test_a_connector_that_was_let_go_has_no_partition(tmp_path: Path) -> None:
    instance, store = dg.DagsterInstance.ephemeral(), bucket(tmp_path)
    put(store, "a")
    put(store, "b")
    run(store, instance=instance)
    for version in list(store.list("metadata/airbyte/source-b/")):
        store.delete(version.path)

    run(store, instance=instance, allow_shrink=True)

    assert partitions(instance) == ["airbyte/source-a"]


def test_of_very_many_changes_those_that_are_wrong_are_told_first_and_the_rest_as_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("python.registry.orchestrator.connectors.EVENTS_MAX", 2)
    instance, store = dg.DagsterInstance.ephemeral(), bucket(tmp_path)
    for name in "abc":
        put(store, name)
    store.put(put(store, "d"), b"nonsense")

    result = run(store, instance=instance)

    assert sorted(entry(result)) == ["airbyte/source-a", "airbyte/source-d"]
    assert len(partitions(instance)) == 4
    assert facts(result, "registry_candidate")["changed connectors"] == 4
    assert facts(result, "registry_candidate")["told as partitions"] == 2
