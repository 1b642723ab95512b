"""What people are told of a registry, kept in the bucket; and what was merged and never released."""

# Annotations are values here, not text: Dagster reads them while it decorates.

from collections.abc import Iterator

import dagster as dg

from python.registry.orchestrator.assets import metadata, registry_pointer
from python.registry.orchestrator.resources import (
    CheckoutResource,
    Facts,
    NoticeResource,
    RegistryResource,
    now,
    sentences,
)
from python.registry.reports.keeping import PAGES, keep_pages, keep_reports
from python.registry.reports.report import report
from python.registry.reports.texts import as_markdown
from python.registry.service.staleness import stale_metadata

__all__ = ["connector_registry_pages", "connector_registry_report", "stale_latest_metadata"]

_SHOWN_CHARACTERS_MAX = 20_000  # what a page of Dagster's shows without delay
_DIGEST = "sentences"


@dg.asset(deps=[registry_pointer], group_name="registry_reports", kinds={"markdown", "json"})
def connector_registry_report(registry: RegistryResource) -> dg.MaterializeResult[None]:
    """What is published, what is wrong and what changed last, as Markdown and JSON in `generated_reports/`.

    By command: `headwater registry report --keep`.
    """
    with sentences():
        store = registry.store()
        told = report(store)
        paths = keep_reports(store, told)
    shown = as_markdown(told)[:_SHOWN_CHARACTERS_MAX]
    return dg.MaterializeResult(
        metadata={
            "snapshot": told.snapshot,
            "connectors": len(told.rows),
            "quarantined": len(told.quarantined),
            "paths": ", ".join(paths),
            "report": dg.MetadataValue.md(shown),
        }
    )


@dg.asset(deps=[registry_pointer], group_name="registry_reports", kinds={"html"})
def connector_registry_pages(registry: RegistryResource) -> dg.MaterializeResult[None]:
    """Web pages of what is published, with one for each connector, in `generated_reports/registry/`.

    By command: `headwater registry report --keep`.
    """
    with sentences():
        store = registry.store()
        count = keep_pages(store, store, f"{PAGES}/")
    return dg.MaterializeResult(metadata={"path": f"{PAGES}/index.html", "files": count})


@dg.asset(
    deps=[metadata],
    group_name="registry_reports",
    kinds={"git"},
    check_specs=[
        dg.AssetCheckSpec(
            "released", asset="stale_latest_metadata", description="What was merged is in the bucket, hours later."
        )
    ],
)
def stale_latest_metadata(
    context: dg.AssetExecutionContext, registry: RegistryResource, checkout: CheckoutResource, notices: NoticeResource
) -> Iterator[dg.MaterializeResult[None]]:
    """The connectors whose metadata in METADATA_CHECKOUT is newer than the bucket's: merged, and never released.

    People are told when the list is another one than the last time. By command: `headwater registry stale`.
    """
    folder = checkout.folder()
    if folder is None:
        raise dg.Failure("METADATA_CHECKOUT names no folder: set it in .env", allow_retries=False)
    with sentences():
        found = stale_metadata(registry.store(), folder, now())
        is_well = not found.stale and not found.unread
        told = "\n".join(map(str, (*found.stale, *found.unread)))
        last = context.instance.get_latest_materialization_event(context.asset_key)
        before = last.asset_materialization.metadata[_DIGEST].value if last and last.asset_materialization else ""
        if told and told != before:
            notices.tell(f"Metadata that was never released:\n{told}")
    check = dg.AssetCheckResult(
        check_name="released",
        passed=is_well,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(found.sentences()) or "everything is released",
    )
    facts: Facts = {"checked": found.checked, "stale": len(found.stale), "fresh": len(found.fresh), _DIGEST: told}
    yield dg.MaterializeResult(metadata=facts, check_results=[check])
