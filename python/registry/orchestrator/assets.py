"""From the bucket's metadata to published registries: each asset is a call of the library, and what it told."""

# Annotations are values here, not text: Dagster reads them while it decorates.

from collections.abc import Iterator, Sequence

import dagster as dg

from python.registry.generation.applying import BlockedError, prepare
from python.registry.generation.candidates import publish
from python.registry.generation.planning import news, plan
from python.registry.generation.plans import Plan
from python.registry.generation.publication import heal, prune
from python.registry.generation.snapshots import FIXED, REGISTRY_FILES, Current, Manifest, current
from python.registry.generation.watching import mark_of
from python.registry.orchestrator.connectors import CONNECTORS, told_of
from python.registry.orchestrator.gates import MARK, prepared_in, short
from python.registry.orchestrator.resources import (
    AllowanceResource,
    Facts,
    NoticeResource,
    RegistryResource,
    now,
    sentences,
)
from python.registry.reports.texts import change_sentence
from python.registry.store import Store, StoreError

__all__ = ["FILES", "metadata", "persisted", "registry_candidate", "registry_entry", "registry_pointer"]

_SHOWN_MAX = 100  # rows of a table that a person looks at; the snapshot has all
_RETRIES = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL)  # a network that is away for a moment

FILES = {
    "persisted_oss_registry": REGISTRY_FILES["oss"],
    "persisted_cloud_registry": REGISTRY_FILES["cloud"],
    "persisted_composite_registry": "composite_registry.json",
    "specs_secrets_mask_yaml": "specs_secrets_mask.yaml",
}
"""The assets that are files at fixed paths, by name."""


@dg.asset(group_name="metadata", kinds={"yaml"}, retry_policy=_RETRIES)
def metadata(registry: RegistryResource) -> dg.MaterializeResult[None]:
    """The bucket's listing: which connectors it has, and which of them changed since they were published.

    Names and times alone are read. By command: `headwater registry generate --dry-run`.
    """
    with sentences():
        store = registry.store()
        found = news(store, registry.options())
    return dg.MaterializeResult(
        metadata={
            "bucket": store.address,
            "connectors": len(found.listing.connectors),
            "files": len(found.listing.files),
            "published snapshot": found.seen.pointer.snapshot if found.seen else "none",
            "changed connectors": len(found.stale),
            "changed": _list(found.stale),
            "gone": _list(found.gone),
        }
    )


registry_entry = dg.AssetSpec(
    "registry_entry",
    deps=[metadata],
    group_name="registry_entries",
    kinds={"json"},
    partitions_def=CONNECTORS,
    description=(
        "A connector's entries in the registries, one partition for each connector. `registry_candidate` makes all that"
        " changed in one run, and tells here of each; a connector that is wrong keeps its entries, and is observed"
        " with the reason. By command: `headwater registry explain`."
    ),
)


@dg.asset(
    deps=[metadata, registry_entry],
    group_name="registry",
    kinds={"json"},
    retry_policy=_RETRIES,
    check_specs=[
        dg.AssetCheckSpec(
            "quarantine",
            asset="registry_candidate",
            description="No connector is wrong. Those that are keep what they had, and hold nobody else up.",
        )
    ],
)
def registry_candidate(
    context: dg.AssetExecutionContext, registry: RegistryResource, allowed: AllowanceResource, notices: NoticeResource
) -> Iterator[dg.MaterializeResult[None]]:
    """A snapshot of all registries together, in the bucket, that nobody reads before the gates have let it pass.

    Only connectors that changed are read; of those that are wrong now, people are told. By command: `headwater registry
    prepare`.
    """
    with sentences():
        store = registry.store()
        heal(store)  # what is published is whole, though nothing may follow it
        mark = mark_of(store, registry.options())
        planned = plan(store, now(), registry.options(allowed))
        made = None if planned.blocked else prepare(store, planned)
        seen = current(store)
    snapshot = made.id if made else seen.pointer.snapshot if seen and not planned.blocked else ""
    events = told_of(context.instance, planned, snapshot)
    for event in events:
        context.log_event(event)
    wrong = [change_sentence(change) for change in planned.changes if change.what == "quarantined"]
    if wrong and not planned.blocked:
        notices.try_to_tell("\n".join(["Connectors that keep what they had:", *wrong]), context.log)
    quarantined = [f"{name}: {why}" for name, why in planned.quarantined.items()]
    check = dg.AssetCheckResult(
        check_name="quarantine",
        passed=not quarantined,
        severity=dg.AssetCheckSeverity.WARN,
        description=short(quarantined),
        metadata={"quarantined": _list(quarantined)},
    )
    facts = _candidate_facts(planned, made) | {"snapshot": snapshot, MARK: mark, "told as partitions": len(events)}
    yield dg.MaterializeResult(metadata=facts, check_results=[check])


def _candidate_facts(planned: Plan, made: Manifest | None) -> Facts:
    return {
        "is new": made is not None,
        "blocked": dg.MetadataValue.json([each.why for each in planned.blocked]),
        "changed connectors": len(planned.changes),
        "changes": _list([change_sentence(change) for change in planned.changes]),
        "quarantined connectors": len(planned.quarantined),
        **({f"{name} entries": count for name, count in made.counts.items()} if made else {}),
    }


@dg.asset(deps=[registry_candidate], group_name="registry", kinds={"json"}, retry_policy=_RETRIES)
def registry_pointer(
    context: dg.AssetExecutionContext, registry: RegistryResource, allowed: AllowanceResource
) -> dg.MaterializeResult[None]:
    """What readers see: the pointer to one snapshot, switched at once for all registries.

    It holds the snapshot against the gates by itself, too, so that nothing gets around them. By command:
    `headwater registry publish`; back: `headwater registry rollback`.
    """
    with sentences():
        store = registry.store()
        prepared = prepared_in(context.instance, context.run.run_id)
        if prepared.blocked:
            raise BlockedError("; ".join(prepared.blocked))
        seen = publish(store, prepared.snapshot, now(), registry.options(allowed))
    return dg.MaterializeResult(metadata={**_facts(seen), "pruned snapshots": _pruned(context, store, registry.keep)})


def _pruned(context: dg.AssetExecutionContext, store: Store, keep: int) -> int:
    """Delete old snapshots; return how many. Where that is not possible, what was published is, all the same."""
    try:
        return len(prune(store, now(), keep=max(keep, 1)))
    except StoreError as error:
        context.log.warning("old snapshots cannot be deleted: %s", error)
        return 0


def _specs() -> list[dg.AssetSpec]:
    told = "of the snapshot that is published. By command: `headwater registry verify`."
    return [
        dg.AssetSpec(
            name,
            deps=[registry_pointer],
            group_name="registry",
            kinds={file.rsplit(".", 1)[1]},
            description=f"`{FIXED}/{file}` {told}",
        )
        for name, file in FILES.items()
    ]


@dg.multi_asset(specs=_specs(), retry_policy=_RETRIES)
def persisted(registry: RegistryResource) -> Iterator[dg.MaterializeResult[None]]:
    """The files at the paths that Airbyte's readers know are those of the published snapshot."""
    with sentences():
        store = registry.store()
        seen = heal(store)
    if seen is None:
        raise dg.Failure(f"nothing was ever published in {store.address}", allow_retries=False)
    for name, file in FILES.items():
        said = seen.manifest.files[file]
        path = f"{FIXED}/{file}"
        facts: Facts = {**_facts(seen), "path": path, "size": said.size}
        if registry.base_url:
            facts["url"] = dg.MetadataValue.url(f"{registry.base_url.rstrip('/')}/{path}")
        yield dg.MaterializeResult(
            asset_key=name, metadata={**facts, "sha256": said.sha256}, data_version=dg.DataVersion(said.sha256)
        )


def _facts(seen: Current) -> Facts:
    counts = {f"{registry} entries": count for registry, count in seen.manifest.counts.items()}
    times = {"switched": dg.MetadataValue.timestamp(seen.pointer.switched)}
    parent = {"parent": seen.manifest.parent or "none", "pointer generation": seen.version.generation}
    return {"snapshot": seen.pointer.snapshot, **parent, **counts, **times}


def _list(sentences: Sequence[str]) -> dg.MetadataValue:
    more = [f"and {len(sentences) - _SHOWN_MAX:,} more"] if len(sentences) > _SHOWN_MAX else []
    return dg.MetadataValue.md("\n".join(f"- {each}" for each in [*sentences[:_SHOWN_MAX], *more]) or "none")
