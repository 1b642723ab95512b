"""What Dagster is told of each connector of a run: one partition a connector, whatever versions it has."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import dagster as dg
import msgspec

from python.registry.generation.plans import Plan, Row

__all__ = ["CONNECTORS", "EVENTS_MAX", "told_of"]

CONNECTORS = dg.DynamicPartitionsDefinition(name="connectors")
"""One for each dockerRepository. Partitions of single versions would be too many for Dagster (decision 0150)."""


EVENTS_MAX = 500
"""What is told of connectors in one run. An event takes Dagster 10 to 70 ms: more are told as a number alone."""


class _Source(msgspec.Struct, frozen=True):
    metadata_etag: str = ""
    metadata_file_path: str = ""


class _Generated(msgspec.Struct, frozen=True):
    source_file_info: _Source = _Source()


class _Entry(msgspec.Struct, frozen=True):
    generated: _Generated = _Generated()


def told_of(
    instance: dg.DagsterInstance, planned: Plan, snapshot: str
) -> list[dg.AssetMaterialization | dg.AssetObservation]:
    """Return an event for each connector that a plan changes, of EVENTS_MAX at most: those that are wrong first.

    All of them have a partition afterwards, and those that are gone have none. A plan that is blocked changes nothing.
    """
    if planned.blocked:
        return []
    rows = {row.repository: row for row in planned.rows}
    changes = [change for change in planned.changes if change.repository in rows]
    _partition(instance, {change.repository for change in changes}, rows.keys())
    first = sorted(changes, key=lambda change: not rows[change.repository].connector.problem)
    return [_told(rows[change.repository], change.what, snapshot) for change in first[:EVENTS_MAX]]


def _partition(instance: dg.DagsterInstance, changed: AbstractSet[str], there: AbstractSet[str]) -> None:
    name = CONNECTORS.name or ""
    known = set(instance.get_dynamic_partitions(name))
    for gone in known - there if there else ():
        instance.delete_dynamic_partition(name, gone)
    instance.add_dynamic_partitions(name, sorted(changed - known))


def _told(row: Row, what: str, snapshot: str) -> dg.AssetMaterialization | dg.AssetObservation:
    if not row.connector.problem:
        return _materialized(row, what, snapshot)
    reason = {"change": what, "why": row.connector.problem, "stays at": row.connector.latest or "nothing"}
    return dg.AssetObservation("registry_entry", partition=row.repository, metadata=reason)


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
