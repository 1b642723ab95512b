"""What a candidate for publication must pass: on its own, beside the other connectors, and against the published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from python.importing.comparing import compare
from python.importing.rule import Level
from python.importing.schemas import SchemaError
from python.importing.snapshots import Snapshot
from python.registry.generation.entries import REGISTRIES, Registry
from python.registry.generation.registries import Entries
from python.registry.metadata.numbering import number

__all__ = ["SHRINK_SHARE_MAX", "Blocked", "Claim", "compatible", "duplicates", "shrunk"]

SHRINK_SHARE_MAX = 0.1
"""The share of a registry's entries that may go at once: beyond it, something is wrong with more than a connector."""

_SHRINK_ALWAYS = 3  # of a small registry, so many may go
_SHOWN_CHANGES_MAX = 3  # enough to see what kind of change it is; `headwater registry diff` tells all


class Blocked(msgspec.Struct, frozen=True):
    """A reason for which nothing at all must be published, and what to do about it."""

    gate: str
    why: str


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector takes for itself in a registry: an identity and an image. `is_published`: it had them."""

    repository: str
    registry: Registry
    definition: str
    image: str
    is_published: bool


class _Released(msgspec.Struct, rename="camel", frozen=True):
    docker_image_tag: str
    spec: dict[str, Any]
    releases: dict[str, Any] = {}


def compatible(before: Entries, after: Entries) -> str | None:
    """Return why the entries `after` must not follow those `before`; None where they may.

    A spec that breaks its users' configs needs an entry in `breakingChanges`, of a version above the one before. Going
    back to an older version is a rollback, which is not asked.
    """
    for registry in REGISTRIES:
        if registry not in before or registry not in after or bytes(before[registry]) == bytes(after[registry]):
            continue
        old = msgspec.json.decode(before[registry], type=_Released)
        new = msgspec.json.decode(after[registry], type=_Released)
        if old.spec == new.spec or _is_announced(old, new):
            continue
        told = list(_breaking(old, new))
        if told:
            more = [f"and {len(told) - _SHOWN_CHANGES_MAX} more"] if len(told) > _SHOWN_CHANGES_MAX else []
            return (
                f"version {new.docker_image_tag} breaks configs of {old.docker_image_tag} in {registry}, and its "
                f"breakingChanges say nothing of it: {'; '.join([*told[:_SHOWN_CHANGES_MAX], *more])}"
            )
    return None


def _is_announced(old: _Released, new: _Released) -> bool:
    try:
        was, now = number(old.docker_image_tag), number(new.docker_image_tag)
    except ValueError:
        return False
    announced = new.releases.get("breakingChanges") or {}
    return now < was or any(was < number(version) <= now for version in announced)


def _breaking(old: _Released, new: _Released) -> Iterator[str]:
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
        yield f"the specs cannot be compared: {error}"
        return
    yield from (f"{each.pointer or '/'}: {each.why}" for each in found if each.level is Level.MAJOR)


def duplicates(claims: Iterable[Claim]) -> dict[str, str]:
    """Return why connectors must not be published beside the others, by repository.

    Of two that claim the same, the one that has it already keeps it, else the first by name.
    """
    owners: dict[tuple[Registry, str], str] = {}
    losers: dict[str, str] = {}
    for claim in sorted(claims, key=lambda each: (not each.is_published, each.repository)):
        wanted = {(claim.registry, claim.definition): "definition id", (claim.registry, claim.image): "image"}
        taken = {key: owners[key] for key in wanted if owners.get(key, claim.repository) != claim.repository}
        for key, owner in taken.items():
            losers[claim.repository] = f"its {wanted[key]} {key[1]} is that of {owner} in {claim.registry}"
        if not taken:
            owners.update(dict.fromkeys(wanted, claim.repository))
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
