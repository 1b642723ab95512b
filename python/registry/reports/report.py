"""A registry as a value to be told: a row for each connector, and what is wrong with which, and what changed last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from python.registry.generation.applying import CHANGES
from python.registry.generation.entries import REGISTRIES
from python.registry.generation.plans import INPUTS, Change, Connector, Inputs
from python.registry.generation.registries import entries_of
from python.registry.generation.snapshots import REGISTRY_FILES, Current, Hold, SnapshotError, current, read
from python.registry.store import Store

__all__ = ["Report", "Row", "entries", "report"]


class Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What is told of a connector in one line. `version` is None, and most else empty, where no registry has it."""

    repository: str
    name: str
    kind: str = ""
    version: str | None = None
    candidate: str | None = None
    registries: tuple[str, ...] = ()
    support_level: str = ""
    release_stage: str = ""
    language: str = ""
    license: str = ""
    subtype: str = ""
    released: str = ""
    updated: str = ""
    problem: str | None = None
    warnings: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is published. `rows` are sorted by name; `changes` are those of this snapshot against the one before."""

    snapshot: str
    made: dt.datetime
    hold: Hold | None
    counts: dict[str, int]
    rows: Sequence[Row]
    changes: Sequence[Change]

    @property
    def quarantined(self) -> list[Row]:
        """The connectors that are wrong, and keep what they had."""
        return [row for row in self.rows if row.problem]

    @property
    def warned(self) -> list[Row]:
        """The connectors with something to look at."""
        return [row for row in self.rows if row.warnings]


class _Source(msgspec.Struct, frozen=True):
    metadata_last_modified: str = ""


class _Generated(msgspec.Struct, frozen=True):
    source_file_info: _Source = _Source()


class _Entry(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    docker_image_tag: str
    source_type: str = ""
    support_level: str = ""
    release_stage: str = ""
    language: str = ""
    license: str = ""
    release_date: str = ""
    generated: _Generated = _Generated()


class _Changes(msgspec.Struct, frozen=True):
    changes: list[Change]


def report(store: Store) -> Report:
    """Return what is published in `store`. Raises SnapshotError where nothing is, or where it is broken."""
    seen = current(store)
    if seen is None:
        raise SnapshotError(f"nothing was ever published in {store.address}: run `headwater registry generate` first")
    inputs = _decoded(read(store, seen.manifest, INPUTS), Inputs)
    found = {repository: msgspec.json.decode(raw, type=_Entry) for repository, raw in entries(store, seen, inputs)}
    rows = [_row(name, connector, found.get(name)) for name, connector in inputs.connectors.items()]
    return Report(
        snapshot=seen.pointer.snapshot,
        made=seen.manifest.made,
        hold=seen.pointer.hold,
        counts=seen.manifest.counts,
        rows=sorted(rows, key=lambda row: (row.name.lower(), row.repository)),
        changes=_decoded(read(store, seen.manifest, CHANGES), _Changes).changes,
    )


def entries(store: Store, seen: Current, inputs: Inputs) -> Iterator[tuple[str, msgspec.Raw]]:
    """Yield an entry of each connector that is published: that of `oss`, or else that of `cloud`."""
    told = set[str]()
    for registry in REGISTRIES:
        known = inputs.connectors.items()
        places = {name: each.places[registry] for name, each in known if registry in each.places and name not in told}
        yield from entries_of(read(store, seen.manifest, REGISTRY_FILES[registry]), places)
        told |= places.keys()


def _decoded(data: bytes, kind: Any) -> Any:  # noqa: ANN401 -- whatever kind it is told
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise SnapshotError(f"a file of the current snapshot cannot be read: {error}") from None


def _row(repository: str, connector: Connector, entry: _Entry | None) -> Row:
    if entry is None:
        name = repository.rpartition("/")[2]
        return Row(repository=repository, name=name, problem=connector.problem, warnings=connector.warnings)
    return Row(
        repository=repository,
        name=entry.name,
        kind=connector.kind or "",
        version=entry.docker_image_tag,
        candidate=connector.candidate,
        registries=tuple(registry for registry in REGISTRIES if registry in connector.places),
        support_level=entry.support_level,
        release_stage=entry.release_stage,
        language=entry.language,
        license=entry.license,
        subtype=entry.source_type,
        released=entry.release_date,
        updated=entry.generated.source_file_info.metadata_last_modified[:10],
        problem=connector.problem,
        warnings=connector.warnings,
    )
