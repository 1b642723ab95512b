"""A plan as a value: what would be published, of what, and what that changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from python.registry.generation.entries import Registry
from python.registry.generation.gates import Blocked, Key
from python.registry.generation.listing import Listing
from python.registry.generation.registries import Entries, Kind, Place
from python.registry.generation.snapshots import Current, SnapshotError, read
from python.registry.store import NotFoundError, Store

__all__ = ["INPUTS", "RULES", "SEEN", "Change", "Connector", "Inputs", "Options", "Plan", "Row", "inputs_of", "keys_of"]

INPUTS = "inputs.json"
"""The file of a snapshot that says what it was made of."""

SEEN = "registries/seen.json"
"""What the current snapshot would be made of today: it saves reading files again that were only copied or touched."""

RULES = 3
"""Raised whenever the same files make other entries than before: then all of them are read again."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to generate. `base_url` is where readers find the bucket; without one, entries name no icons.

    `allow_shrink` lets connectors go whose files are gone; `allow_breaking` takes specs that break users.
    """

    base_url: str | None = None
    allow_shrink: bool = False
    allow_breaking: bool = False


class Connector(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a snapshot remembers of a connector beside its entries.

    `own` has the generation of each of its files that matter, with the entries beside its versions; `outside` of those
    that it needs from elsewhere, None of one that is missing. `images` are the names of its images, `places` where its
    entries are, both by registry. `problem` says why it is quarantined, and `warnings` what else is wrong. `secrets`
    are names of properties.
    """

    kind: Kind | None = None
    definition: str = ""
    latest: str | None = None
    candidate: str | None = None
    own: Mapping[str, str] = {}
    outside: dict[str, str | None] = {}
    images: dict[Registry, str] = {}
    places: dict[Registry, Place] = {}
    secrets: tuple[str, ...] = ()
    problem: str | None = None
    warnings: tuple[str, ...] = ()


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What `snapshot` was made of."""

    snapshot: str
    rules: int
    base_url: str | None
    connectors: dict[str, Connector]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A connector in a plan: its entries, which may be none."""

    repository: str
    connector: Connector
    entries: Entries


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a snapshot changes of one connector: added, changed, removed, quarantined, recovered, noted.

    `why` says why it is quarantined, or what was noted. Between two snapshots that are compared, it says why the new
    one would not be published after the old one; `level` is that of the gravest change of its spec (major, minor,
    patch), and `breaking` are sentences.
    """

    repository: str
    what: str
    old: str | None = None
    new: str | None = None
    why: str | None = None
    level: str | None = None
    breaking: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What would be published, and what it was planned against.

    `rows` are sorted by repository, and empty where no file has changed. `written` are files to write beside versions,
    `deleted` those to delete. `changes` is empty where nothing would look different to a reader. `blocked` says why it
    must not be published.
    """

    now: dt.datetime
    options: Options
    seen: Current | None
    listing: Listing
    inputs: Inputs
    rows: tuple[Row, ...] = ()
    changes: tuple[Change, ...] = ()
    written: Mapping[str, msgspec.Raw] = {}
    deleted: tuple[str, ...] = ()
    blocked: tuple[Blocked, ...] = ()

    @property
    def quarantined(self) -> dict[str, str]:
        """Why each connector that is quarantined is, by repository."""
        known = {row.repository: row.connector for row in self.rows} if self.rows else self.inputs.connectors
        return {name: connector.problem for name, connector in known.items() if connector.problem}


def keys_of(connector: Connector, entries: Entries) -> frozenset[Key]:
    """Return what a connector takes for itself with these entries."""
    definitions: list[Key] = [(registry, "definition id", connector.definition.lower()) for registry in entries]
    images: list[Key] = [(registry, "image", connector.images.get(registry, "")) for registry in entries]
    return frozenset([*definitions, *images])


def inputs_of(store: Store, seen: Current | None) -> Inputs:
    """Return what the snapshot that is published was made of, or of what it would be made again."""
    if seen is None:
        return Inputs(snapshot="", rules=RULES, base_url=None, connectors={})
    try:
        later = msgspec.json.decode(store.get(SEEN).data, type=Inputs)
    except (NotFoundError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        later = None
    if later is not None and later.snapshot == seen.pointer.snapshot:
        return later
    try:
        return msgspec.json.decode(read(store, seen.manifest, INPUTS), type=Inputs)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SnapshotError(f"{INPUTS} of snapshot {seen.pointer.snapshot} cannot be read: {error}") from None
