"""The orchestrator in one process, on a bucket in a folder, with an instance of Dagster that is gone with the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg

from python.registry.orchestrator.definitions import definitions
from python.registry.orchestrator.resources import resources_from
from python.registry.store.folder import FolderStore


def bucket(folder: Path) -> FolderStore:
    return FolderStore(folder / "bucket")


def run(
    store: FolderStore,
    job: str = "generate_registry",
    instance: dg.DagsterInstance | None = None,
    **environment: str,
) -> dg.ExecuteInProcessResult:
    """What became of a job; a failure is not raised."""
    return (
        located(store, **environment).resolve_job_def(job).execute_in_process(instance=instance, raise_on_error=False)
    )


def located(store: FolderStore, **environment: str) -> dg.Definitions:
    found = definitions()
    return dg.Definitions(
        assets=found.assets,
        asset_checks=found.asset_checks,
        jobs=found.jobs,
        resources=resources(store, **environment),
        executor=dg.in_process_executor,
    )


def resources(store: FolderStore, **environment: str) -> dict[str, Any]:
    return resources_from({"METADATA_BUCKET": store.address, **environment})


def facts(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    """What a run told of an asset that it materialized, by name; nothing if it did not."""
    made = [each for each in result.get_asset_materialization_events() if each.asset_key == dg.AssetKey(asset)]
    last = made[-1].step_materialization_data.materialization if made else None
    return {name: value.value for name, value in last.metadata.items()} if last else {}


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {each.check_name: each.passed for each in result.get_asset_check_evaluations()}


def failure(result: dg.ExecuteInProcessResult) -> str:
    """Why the step failed that did."""
    (event,) = (each for each in result.all_events if each.is_step_failure)
    data = event.step_failure_data
    return str(data.user_failure_data.description if data.user_failure_data else data.error)
