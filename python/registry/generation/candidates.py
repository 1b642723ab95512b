"""A snapshot that was prepared, looked at once more as readers would get it, and published only if it passes.

Planning keeps what is wrong out of a candidate. This holds the files that were written to the same rules, whoever
planned them, and whatever happened in between: it is what stands between a candidate and the switch.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import msgspec

from python.registry.generation.applying import BlockedError, refuse_held
from python.registry.generation.checking import checked_entry, checked_spec
from python.registry.generation.comparing import entries_by_repository
from python.registry.generation.entries import EntryError, Registry
from python.registry.generation.gates import compatible, shrunk
from python.registry.generation.plans import INPUTS, Connector, Inputs, Options
from python.registry.generation.publication import heal, point
from python.registry.generation.registries import Entries, Kind
from python.registry.generation.snapshots import POINTER, Current, Manifest, SnapshotError, current, manifest_of, read
from python.registry.store import ConflictError, Store

__all__ = ["GATES", "examine", "publish"]


_Check: TypeAlias = "Callable[[msgspec.Raw, Kind], None]"


class _Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """What is held against the gates. `changed` are the connectors whose entries are not those that are published."""

    manifest: Manifest
    published: Current | None
    options: Options
    connectors: Mapping[str, Connector]
    before: Mapping[str, Entries]
    after: Mapping[str, Entries]
    changed: tuple[str, ...]


def examine(store: Store, snapshot: str, options: Options | None = None) -> dict[str, list[str]]:
    """Return why a snapshot must not be published, by gate; each of GATES has a list, empty where it lets it pass.

    Only entries that are not published already are read. Raises SnapshotError where the snapshot is not whole.
    """
    manifest, published = manifest_of(store, snapshot), current(store)
    for name in manifest.files:
        read(store, manifest, name)
    inputs = _inputs(store, manifest)
    after = entries_by_repository(store, manifest, inputs)
    before: Mapping[str, Entries] = {}
    if published:
        before = entries_by_repository(store, published.manifest, _inputs(store, published.manifest))
    seen = _Candidate(
        manifest=manifest,
        published=published,
        options=options or Options(),
        connectors=inputs.connectors,
        before=before,
        after=after,
        changed=tuple(name for name in sorted(after) if not _is_same(before.get(name, {}), after[name])),
    )
    return {gate: list(find(seen)) for gate, find in GATES.items()}


def publish(store: Store, snapshot: str, now: dt.datetime, options: Options | None = None) -> Current:
    """A snapshot that was prepared is current, with its copies at the fixed paths; nothing happens where it is already.

    Raises BlockedError where a gate does not let it pass, or a rollback holds, and ConflictError where something else
    was published since it was prepared; nothing is published then.
    """
    seen, manifest = current(store), manifest_of(store, snapshot)
    if seen is None or seen.pointer.snapshot != snapshot:
        refuse_held(seen)
        parent = seen.pointer.snapshot if seen else None
        if parent != manifest.parent:
            raise ConflictError(POINTER, f"snapshot {manifest.parent or 'none'}, of which {snapshot} was prepared")
        found = [f"{gate}: {why}" for gate, reasons in examine(store, snapshot, options).items() for why in reasons]
        if found:
            raise BlockedError(f"snapshot {snapshot} must not be published: {'; '.join(found)}")
        point(store, manifest, seen, now)
    healed = heal(store)
    assert healed is not None  # noqa: S101 -- something is published by now
    return healed


def _schema(seen: _Candidate) -> Iterator[str]:
    """Entries are as Airbyte's readers want them."""
    for name in seen.changed:
        yield from _refused(seen, name, checked_entry)


def _refused(seen: _Candidate, name: str, check: _Check) -> Iterator[str]:
    """Yield why `check` refuses entries of a connector."""
    for registry, raw in seen.after[name].items():
        why = _error(check, raw, seen.connectors[name].kind or "source")
        if why:
            yield f"{name} in {registry}: {why}"


def _error(check: _Check, raw: msgspec.Raw, kind: Kind) -> str | None:
    try:
        check(raw, kind)
    except (EntryError, msgspec.DecodeError) as error:
        return str(error)
    return None


def _duplicates(seen: _Candidate) -> Iterator[str]:
    """No two connectors have one identity, or one image."""
    owners: dict[tuple[Registry, str, str], str] = {}
    for name, claim in _claims(seen):
        owner = owners.setdefault(claim, name)
        if owner != name:
            registry, what, value = claim
            yield f"{name}: its {what} {value} is that of {owner} in {registry}"


def _claims(seen: _Candidate) -> Iterator[tuple[str, tuple[Registry, str, str]]]:
    """Yield what each connector has that no other one may have."""
    for name, entries in seen.after.items():
        for registry in entries:
            yield name, (registry, "definition id", seen.connectors[name].definition)
            yield name, (registry, "image", seen.connectors[name].images[registry])


def _shrink(seen: _Candidate) -> Iterator[str]:
    """Not more of a registry goes at once than can be meant."""
    counts: dict[str, int] = {}
    for entries in seen.after.values():
        for registry in entries:
            counts[registry] = counts.get(registry, 0) + 1
    said = {registry: count for registry, count in seen.manifest.counts.items() if count}
    if counts != said:
        yield f"its manifest says that it has {_told(said)}, and it has {_told(counts)}"
    if seen.published and not seen.options.allow_shrink:
        yield from (blocked.why for blocked in shrunk(seen.published.manifest.counts, counts))


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} in {registry}" for registry, count in sorted(counts.items())) or "no entry"


def _compatibility(seen: _Candidate) -> Iterator[str]:
    """No spec breaks its users' configs without saying so."""
    for name in () if seen.options.allow_breaking else seen.changed:
        why = compatible(seen.before.get(name, {}), seen.after[name])
        if why:
            yield f"{name}: {why}"


def _specs(seen: _Candidate) -> Iterator[str]:
    """Every entry has a spec."""
    for name in seen.changed:
        yield from _refused(seen, name, _checked_spec)


def _checked_spec(raw: msgspec.Raw, _: Kind) -> None:
    checked_spec(bytes(msgspec.json.decode(raw, type=_WithSpec).spec), "its spec")


class _WithSpec(msgspec.Struct, frozen=True):
    spec: msgspec.Raw = msgspec.Raw(b"null")


GATES: Mapping[str, Callable[[_Candidate], Iterator[str]]] = {
    "schema": _schema,
    "duplicates": _duplicates,
    "shrink": _shrink,
    "compatibility": _compatibility,
    "specs": _specs,
}
"""What a candidate must pass, each telling why it does not; the docstring says what is so where it does."""


def _inputs(store: Store, manifest: Manifest) -> Inputs:
    try:
        return msgspec.json.decode(read(store, manifest, INPUTS), type=Inputs)
    except msgspec.DecodeError as error:
        raise SnapshotError(f"{INPUTS} of snapshot {manifest.id} cannot be read: {error}") from None


def _is_same(before: Entries, after: Entries) -> bool:
    keys: set[Registry] = set(before) | set(after)
    return all(each in before and each in after and bytes(before[each]) == bytes(after[each]) for each in keys)
