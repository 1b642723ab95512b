"""The code location: what `dagster dev` loads."""

from __future__ import annotations

import dagster as dg

from python.registry.orchestrator.assets import (
    metadata,
    persisted,
    registry_candidate,
    registry_entry,
    registry_pointer,
)
from python.registry.orchestrator.gates import gates
from python.registry.orchestrator.jobs import JOBS
from python.registry.orchestrator.reports import (
    connector_registry_pages,
    connector_registry_report,
    stale_latest_metadata,
)
from python.registry.orchestrator.resources import resources_from
from python.registry.orchestrator.sensors import SCHEDULES, SENSORS

__all__ = ["definitions"]


@dg.definitions
def definitions() -> dg.Definitions:
    """Return all that the orchestrator has, with resources as the environment is now.

    All steps of a run go on in one process: each is short, and starting one for each would take longest.
    """
    return dg.Definitions(
        assets=[
            metadata,
            registry_entry,
            registry_candidate,
            registry_pointer,
            persisted,
            connector_registry_report,
            connector_registry_pages,
            stale_latest_metadata,
        ],
        asset_checks=[gates],
        jobs=JOBS,
        sensors=SENSORS,
        schedules=SCHEDULES,
        resources=resources_from(),
        executor=dg.in_process_executor,
    )
