"""The orchestrator in one process, on a bucket in a folder, with an instance of Dagster that is gone with the test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from python.registry.orchestrator.definitions import definitions
from python.registry.orchestrator.resources import AllowanceResource, resources_from
from python.registry.store import Store
from python.registry.store.folder import FolderStore
from tests.registry.generation.buckets import generated, put


def bucket(folder: Path) -> FolderStore:
    return FolderStore(folder / "bucket")


def run(
    store: Store,
    job: str = "generate_registry",
    instance: dg.DagsterInstance | None = None,
    assets: Sequence[str] = (),
    **how: Any,
) -> dg.ExecuteInProcessResult:
    """What became of a job, or of some `assets` alone; a failure is not raised, and nothing is tried again.

    `how` are variables of the environment, in upper case, and what is allowed.
    """
    found = located(store, **how)
    chosen = found.resolve_implicit_global_asset_job_def() if assets else found.resolve_job_def(job)
    return chosen.execute_in_process(
        instance=instance, raise_on_error=False, asset_selection=[dg.AssetKey(name) for name in assets] or None
    )


def located(store: Store, **how: Any) -> dg.Definitions:
    found = definitions()
    return dg.Definitions(
        assets=found.assets,
        asset_checks=found.asset_checks,
        jobs=found.jobs,
        resources=resources(store, **how),
        executor=dg.in_process_executor,
    )


def resources(store: Store, **how: Any) -> dict[str, Any]:
    environment = {name: value for name, value in how.items() if name.isupper()}
    allowed = AllowanceResource(**{name: value for name, value in how.items() if not name.isupper()})
    return {**resources_from({"METADATA_BUCKET": store.address, **environment}), "allowed": allowed}


def shrunk(store: Store) -> None:
    """The bucket has a registry of eight that is published, and says now that all but one leave it."""
    for name in "abcdefgh":
        put(store, name)
    generated(store)
    for name in "bcdefgh":
        put(store, name, "1.0.1", registryOverrides={"oss": {"enabled": False}, "cloud": {"enabled": False}})


def facts(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    """What a run told of an asset that it materialized, by name; nothing if it did not."""
    made = [each for each in result.get_asset_materialization_events() if each.asset_key == dg.AssetKey(asset)]
    last = made[-1].step_materialization_data.materialization if made else None
    return {name: value.value for name, value in last.metadata.items()} if last else {}


def steps(result: dg.ExecuteInProcessResult) -> list[str]:
    """The steps that were started, in order."""
    return [str(each.step_key) for each in result.all_events if each.is_step_start]


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {each.check_name: each.passed for each in result.get_asset_check_evaluations()}


def failure(result: dg.ExecuteInProcessResult) -> str:
    """Why the step failed that did."""
    failed = [each for each in result.all_events if each.is_step_failure]
    if len(failed) != 1:
        pytest.fail(f"{len(failed)} steps failed")
    data = failed[0].step_failure_data
    return str(data.user_failure_data.description if data.user_failure_data else data.error)
