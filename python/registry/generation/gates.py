"""What a candidate for publication must pass: on its own, beside the other connectors, and against the published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from python.importing.comparing import compare
from python.importing.rule import Level
from python.importing.schemas import SchemaError
from python.importing.snapshots import Snapshot
from python.registry.generation.entries import REGISTRIES, Registry
from python.registry.generation.registries import Entries
from python.registry.metadata.numbering import number

__all__ = ["SHRINK_SHARE_MAX", "Blocked", "Claim", "Compared", "Key", "compared", "compatible", "duplicates", "shrunk"]

SHRINK_SHARE_MAX = 0.1
"""The share of a registry's entries that may go at once: beyond it, something is wrong with more than a connector."""

_SHRINK_ALWAYS = 3  # of a small registry, so many may go
_SHOWN_CHANGES_MAX = 3  # enough to see what kind of change it is; `headwater registry diff` tells all


Key: TypeAlias = "tuple[Registry, Literal['definition id', 'image'], str]"
"""What only one connector of a registry may have."""


class Blocked(msgspec.Struct, frozen=True):
    """A reason for which nothing at all must be published, and what to do about it."""

    gate: str
    why: str


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector takes for itself, and what of that it has already, each as (registry, what it is, value)."""

    repository: str
    wanted: frozenset[Key]
    published: frozenset[Key]


class _Released(msgspec.Struct, rename="camel", frozen=True):
    docker_image_tag: str
    spec: dict[str, Any]
    releases: dict[str, Any] = {}
    source_definition_id: str | None = None
    destination_definition_id: str | None = None

    @property
    def identity(self) -> tuple[str, str]:
        """What platforms know the connector by: as a source, and as a destination; one of them is empty."""
        return (self.source_definition_id or "").lower(), (self.destination_definition_id or "").lower()


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector's new entries are to users of the old ones: `level` is that of the gravest change of a spec.

    `breaking` are sentences. `why` says why it must not be published, and is None where it may be.
    """

    level: Level | None = None
    breaking: tuple[str, ...] = ()
    why: str | None = None


def compatible(before: Entries, after: Entries) -> str | None:
    """Return why the entries `after` must not follow those `before`; None where they may.

    A spec that breaks its users' configs needs an entry in `breakingChanges`, of a version above the one before, and
    nothing makes another identity good. Going back to an older version is a rollback, which is not asked.
    """
    return compared(before, after).why


def compared(before: Entries, after: Entries) -> Compared:
    """Return what the entries `after` are to users of those `before`, in whichever registry it is worst."""
    found = [Compared()]
    for registry in REGISTRIES:
        if registry in before and registry in after and bytes(before[registry]) != bytes(after[registry]):
            sides = (msgspec.json.decode(each[registry], type=_Released) for each in (before, after))
            found.append(_compared(registry, *sides))
    return max(found, key=lambda each: (each.why is not None, each.level or Level.PATCH))


def _compared(registry: Registry, old: _Released, new: _Released) -> Compared:
    is_older, is_announced = _announced(old, new)
    if old.identity != new.identity:
        was, now = (next(filter(None, each.identity), None) for each in (old, new))
        told = f"version {new.docker_image_tag} has another identity than {old.docker_image_tag} in {registry}"
        why = None if is_older else f"{told}, {now} in place of {was}: its users would lose it"
        return Compared(level=Level.MAJOR, breaking=("it has another identity",), why=why)
    if old.spec == new.spec:
        return Compared()
    level, breaking = _differences(old, new)
    if not breaking or is_older or is_announced:
        return Compared(level=level, breaking=breaking)
    more = [f"and {len(breaking) - _SHOWN_CHANGES_MAX} more"] if len(breaking) > _SHOWN_CHANGES_MAX else []
    why = (
        f"version {new.docker_image_tag} breaks configs of {old.docker_image_tag} in {registry}, and its "
        f"breakingChanges say nothing of it: {'; '.join([*breaking[:_SHOWN_CHANGES_MAX], *more])}"
    )
    return Compared(level=level, breaking=breaking, why=why)


def _announced(old: _Released, new: _Released) -> tuple[bool, bool]:
    """Return whether `new` is an older version, and whether it has an entry in `breakingChanges` that `old` has not."""
    try:
        was, now = number(old.docker_image_tag), number(new.docker_image_tag)
    except ValueError:
        return False, False
    announced = new.releases.get("breakingChanges") or {}
    final = now.finalize_version()  # a candidate announces what its release will
    return now < was, any(was < number(version) <= final for version in announced)


def _differences(old: _Released, new: _Released) -> tuple[Level | None, tuple[str, ...]]:
    """Return how grave the changes of a spec are, and a sentence for each that breaks somebody."""
    sides = [
        Snapshot(
            name=each.docker_image_tag,
            version=None,
            spec={"configSchema": each.spec["connectionSpecification"], "resourceConfigSchema": {}},
        )
        for each in (old, new)
    ]
    try:
        found = compare(*sides).differences
    except SchemaError as error:
        return Level.MAJOR, (f"the specs cannot be compared: {error}",)
    breaking = tuple(f"{each.pointer or '/'}: {each.why}" for each in found if each.level is Level.MAJOR)
    return max((each.level for each in found), default=None), breaking


def duplicates(claims: Iterable[Claim]) -> dict[str, str]:
    """Return why connectors must not be published beside the others, by repository.

    Of two that claim the same, the one that has it already keeps it, else the first by name. Who loses falls back to
    what it has, which may collide with what another has taken: ask again with that.
    """
    known = sorted(claims, key=lambda each: (not each.published, each.repository))
    owners = {key: claim.repository for claim in reversed(known) for key in claim.wanted & claim.published}
    losers: dict[str, str] = {}
    for claim in known:
        taken = sorted(key for key in claim.wanted if owners.get(key, claim.repository) != claim.repository)
        if taken:
            registry, what, value = taken[0]
            losers[claim.repository] = f"its {what} {value} is that of {owners[taken[0]]} in {registry}"
        else:
            owners.update(dict.fromkeys(claim.wanted, claim.repository))
    return losers


def shrunk(before: Mapping[str, int], after: Mapping[str, int]) -> list[Blocked]:
    """Return what blocks publishing because too many entries would go: the numbers are by registry."""
    found = []
    for registry, count in before.items():
        lost = count - after.get(registry, 0)
        if lost > max(_SHRINK_ALWAYS, count * SHRINK_SHARE_MAX):
            sizes = f"from {count:,} to {after.get(registry, 0):,} entries"
            found.append(Blocked("shrink", f"{registry} would go {sizes}: if that is meant, give --allow-shrink"))
    return found
