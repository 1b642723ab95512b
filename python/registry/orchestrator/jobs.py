"""What can be run, and what runs it: jobs, sensors on the bucket, schedules for what sensors miss."""

from __future__ import annotations

import dagster as dg

from python.registry.orchestrator.assets import FILES

__all__ = ["JOBS", "generate_registry", "generate_registry_reports", "generate_stale_metadata_report"]

# dagster.yaml lets one run with each of these tags go on at a time
_PUBLISHES = {"headwater/publishes": "registry"}
_REPORTS = {"headwater/publishes": "reports"}  # a run that began before another would else write older pages after it

generate_registry = dg.define_asset_job(
    "generate_registry",
    selection=dg.AssetSelection.assets("metadata", "registry_candidate", "registry_pointer", *FILES),
    description="Publish what the bucket's metadata says. Nothing is written where nothing has changed.",
    run_tags=_PUBLISHES,
)

generate_registry_reports = dg.define_asset_job(
    "generate_registry_reports",
    selection=dg.AssetSelection.assets("connector_registry_report", "connector_registry_pages"),
    description="Write reports and web pages of what is published into the bucket.",
    run_tags=_REPORTS,
)

generate_stale_metadata_report = dg.define_asset_job(
    "generate_stale_metadata_report",
    selection=dg.AssetSelection.assets("stale_latest_metadata"),
    description="Tell what was merged into METADATA_CHECKOUT and never released.",
)

JOBS = (generate_registry, generate_registry_reports, generate_stale_metadata_report)
