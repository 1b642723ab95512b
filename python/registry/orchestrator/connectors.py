"""What Dagster is told of each connector of a run: one partition a connector, whatever versions it has."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import msgspec

from python.registry.generation.plans import Plan, Row

__all__ = ["CONNECTORS", "told_of"]

CONNECTORS = dg.DynamicPartitionsDefinition(name="connectors")
"""One for each dockerRepository. Partitions of single versions would be too many for Dagster (decision 0150)."""


class _Source(msgspec.Struct, frozen=True):
    metadata_etag: str = ""
    metadata_file_path: str = ""


class _Generated(msgspec.Struct, frozen=True):
    source_file_info: _Source = _Source()


class _Entry(msgspec.Struct, frozen=True):
    generated: _Generated = _Generated()


def told_of(
    instance: dg.DagsterInstance, planned: Plan, snapshot: str
) -> Iterator[dg.AssetMaterialization | dg.AssetObservation]:
    """Yield an event for each connector that a plan changes; partitions of those that are gone are no more."""
    rows = {row.repository: row for row in planned.rows}
    changed = [change.repository for change in planned.changes if change.repository in rows]
    known = set(instance.get_dynamic_partitions(CONNECTORS.name or ""))
    if rows:
        for gone in known - rows.keys():
            instance.delete_dynamic_partition(CONNECTORS.name or "", gone)
    instance.add_dynamic_partitions(CONNECTORS.name or "", sorted(set(changed) - known))
    for change in planned.changes:
        row = rows.get(change.repository)
        if row is None:
            continue
        if row.connector.problem:
            reason = {
                "change": change.what,
                "why": row.connector.problem,
                "stays at": row.connector.latest or "nothing",
            }
            yield dg.AssetObservation("registry_entry", partition=change.repository, metadata=reason)
        else:
            yield _materialized(row, change.what, snapshot)


def _materialized(row: Row, what: str, snapshot: str) -> dg.AssetMaterialization:
    raw = row.entries.get("oss") or row.entries.get("cloud")
    source = msgspec.json.decode(raw, type=_Entry).generated.source_file_info if raw else _Source()
    generation = row.connector.own.get(source.metadata_file_path, "")
    return dg.AssetMaterialization(
        "registry_entry",
        partition=row.repository,
        metadata={
            "change": what,
            "version": row.connector.latest or "none",
            "release candidate": row.connector.candidate or "none",
            "registries": ", ".join(row.entries) or "none",
            "metadata": source.metadata_file_path,
            "metadata generation": generation,
            "metadata sha256": source.metadata_etag,
            "snapshot": snapshot,
            "warnings": dg.MetadataValue.md("\n".join(f"- {each}" for each in row.connector.warnings) or "none"),
        },
        tags={"dagster/data_version": source.metadata_etag} if source.metadata_etag else None,
    )
