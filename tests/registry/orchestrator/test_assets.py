from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from python.registry.generation.publication import rollback
from python.registry.generation.snapshots import current, snapshot_ids
from python.registry.orchestrator import assets
from python.registry.orchestrator.assets import FILES
from python.registry.store import StoreError
from tests.registry.generation.buckets import NOW, generated, put, spec, versions, whole
from tests.registry.orchestrator.orchestrating import bucket, checks, facts, failure, located, run, shrunk, steps
from tests.registry.stores import contents

pytestmark = pytest.mark.slow  # a run of Dagster takes seconds


def test_generate_registry_publishes_from_nothing(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    put(store, "b")

    result = run(store)

    assert result.success
    assert versions(store) == versions(store, "cloud") == {"a": "1.0.0", "b": "1.0.0"}
    assert steps(result) == ["metadata", "registry_candidate", "gates", "registry_pointer", "persisted"]


def test_each_asset_tells_what_it_is_made_of(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")

    result = run(store, METADATA_CDN_BASE_URL="https://connectors.example.com/files/")

    snapshot = whole(store)
    metadata, candidate = facts(result, "metadata"), facts(result, "registry_candidate")
    pointer, oss = facts(result, "registry_pointer"), facts(result, "persisted_oss_registry")
    seen = current(store)
    assert seen is not None
    assert (metadata["connectors"], metadata["published snapshot"]) == (1, "none")
    assert metadata["changed"] == "- airbyte/source-a"
    assert candidate["snapshot"] == pointer["snapshot"] == oss["snapshot"] == snapshot
    assert (candidate["oss entries"], pointer["parent"]) == (1, "none")
    assert pointer["pointer generation"] == seen.version.generation
    assert oss["sha256"] == seen.manifest.files["oss_registry.json"].sha256
    assert oss["url"] == "https://connectors.example.com/files/registries/v0/oss_registry.json"
    assert all(facts(result, name)["path"] == f"registries/v0/{file}" for name, file in FILES.items())


def test_a_run_where_nothing_has_changed_writes_nothing(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    run(store)
    before = contents(store)

    result = run(store)

    assert result.success
    assert facts(result, "registry_candidate")["is new"] is False
    assert contents(store) == before


def test_a_wrong_connector_is_a_warning_and_holds_nobody_up(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    run(store)
    store.put(put(store, "a", "1.1.0"), b"nonsense")
    put(store, "b")

    result = run(store)

    (check,) = (each for each in result.get_asset_check_evaluations() if each.check_name == "quarantine")
    assert result.success
    assert (check.passed, check.severity, check.blocking) == (False, dg.AssetCheckSeverity.WARN, False)
    assert "airbyte/source-a: metadata/airbyte/source-a/1.1.0/metadata.yaml" in str(check.metadata["quarantined"].value)
    assert versions(store) == {"a": "1.0.0", "b": "1.0.0"}


def test_a_plan_that_is_blocked_fails_its_gate_and_publishes_nothing(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    shrunk(store)
    before = snapshot_ids(store)

    result = run(store)

    assert not result.success
    assert "registry_pointer" not in steps(result)
    assert checks(result)["shrink"] is False
    assert snapshot_ids(store) == before


def test_a_click_on_the_pointer_after_a_blocked_plan_says_why_it_was(tmp_path: Path) -> None:
    instance, store = dg.DagsterInstance.ephemeral(), bucket(tmp_path)
    shrunk(store)
    run(store, instance=instance)

    assert "oss would go from 8 to 1 entries" in failure(run(store, instance=instance, assets=["registry_pointer"]))


def test_the_launchpad_lets_a_registry_shrink(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    for name in "abcdefgh":
        put(store, name)
    generated(store)
    for version in list(store.list("metadata/")):
        if "source-a" not in version.path:
            store.delete(version.path)

    options = {"resources": {"allowed": {"config": {"allow_shrink": True}}}}
    job = located(store).resolve_job_def("generate_registry")
    result = job.execute_in_process(run_config=options)

    assert result.success
    assert versions(store) == {"a": "1.0.0"}


def test_a_breaking_spec_is_let_through_if_somebody_says_so(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    generated(store)
    breaking = spec()
    breaking["connectionSpecification"] |= {"required": ["more"], "properties": {"more": {"type": "string"}}}
    put(store, "a", "2.0.0", specification=breaking)

    held, let = run(store), run(store, allow_breaking=True)

    assert checks(held)["quarantine"] is False
    assert checks(let)["quarantine"] is True
    assert versions(store) == {"a": "2.0.0"}


def test_old_snapshots_that_cannot_be_deleted_fail_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise StoreError("you must not delete here")

    store = bucket(tmp_path)
    put(store, "a")
    monkeypatch.setattr(assets, "prune", failing)

    result = run(store)

    assert result.success
    assert facts(result, "registry_pointer")["pruned snapshots"] == 0


def test_a_rollback_that_holds_fails_the_run_in_a_sentence(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    generated(store)
    put(store, "a", "1.1.0")
    generated(store)
    rollback(store, NOW, reason="1.1.0 is wrong")
    put(store, "b")

    result = run(store)

    assert failure(result).startswith("a rollback to ")
    assert versions(store) == {"a": "1.0.0"}


def test_somebody_who_publishes_first_fails_the_run_and_loses_nothing(tmp_path: Path) -> None:
    store = bucket(tmp_path)
    put(store, "a")
    instance = dg.DagsterInstance.ephemeral()
    run(store, instance=instance, assets=["registry_candidate"])
    put(store, "b")
    generated(store)

    result = run(store, instance=instance, assets=["registry_pointer"])

    assert "somebody else wrote it meanwhile" in failure(result)
    assert versions(store) == {"a": "1.0.0", "b": "1.0.0"}


@pytest.mark.parametrize(
    ("asset", "told"),
    [("registry_pointer", "materialize registry_candidate first"), ("persisted", "nothing was ever published")],
)
def test_an_asset_alone_that_has_nothing_to_go_on_says_so(tmp_path: Path, asset: str, told: str) -> None:
    names = [*FILES] if asset == "persisted" else [asset]

    assert told in failure(run(bucket(tmp_path), assets=names))


def test_a_bucket_that_is_not_named_is_told_in_a_sentence(tmp_path: Path) -> None:
    assert "METADATA_BUCKET names no bucket" in failure(run(bucket(tmp_path), METADATA_BUCKET=""))
