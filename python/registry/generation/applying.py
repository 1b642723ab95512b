"""From a plan to what readers see: entries beside their versions, then a snapshot, then the switch."""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime as dt
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from python.protocol.errors import HeadwaterError
from python.registry.generation.entries import REGISTRIES, Registry
from python.registry.generation.listing import repository_of
from python.registry.generation.planning import plan
from python.registry.generation.plans import INPUTS, RULES, SEEN, Change, Connector, Inputs, Options, Plan
from python.registry.generation.publication import Candidate, Sign, heal, keep, point, sign_current
from python.registry.generation.registries import Place, composite, registry, secrets_mask
from python.registry.generation.snapshots import REGISTRY_FILES, Current, Manifest
from python.registry.store import ConflictError, NotFoundError, Store, Version

__all__ = ["CHANGES", "BlockedError", "Published", "apply", "generate", "prepare", "refuse_held"]

CHANGES = "changes.json"
"""The file of a snapshot that says what it changed, and who is quarantined."""

_WRITERS = 8  # as many requests at once as any store answers gladly
_ATTEMPTS_MAX = 5  # a rival that wins as often in a row writes all the time


class BlockedError(HeadwaterError):
    """A plan must not be published, or nothing must be. Whoever keeps the registry must decide."""


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a plan. `snapshot` is the one that is current now; `is_new` whether this plan made it."""

    snapshot: str
    is_new: bool
    changes: Sequence[Change]
    quarantined: Mapping[str, str]


class _Changes(msgspec.Struct, frozen=True, kw_only=True):
    changes: Sequence[Change]
    quarantined: Mapping[str, str]


def generate(
    store: Store,
    clock: Callable[[], dt.datetime],
    options: Options | None = None,
    sign: Sign | None = None,
) -> Published:
    """What the bucket says is published; a rival who switches first is followed by another plan.

    Raises BlockedError where the plan must not be published, or where a rollback holds; ConflictError where rivals do
    not cease.
    """
    for _ in range(_ATTEMPTS_MAX - 1):
        with contextlib.suppress(ConflictError):
            return apply(store, plan(store, clock(), options), sign)
    return apply(store, plan(store, clock(), options), sign)


def apply(store: Store, planned: Plan, sign: Sign | None = None, token: str | None = None) -> Published:
    """What was `planned` is published, or, where it changes nothing, what is published is whole.

    `token` tells snapshots of one second apart. Nothing is written where nothing has changed, but for the signature of
    what is published, if there is none and `sign` can make one. Raises BlockedError, with nothing written but copies of
    what is published that were lacking, and ConflictError, with nothing published, where somebody else has switched
    meanwhile.
    """
    try:
        made = prepare(store, planned, sign, token)
    except BlockedError:
        heal(store)  # a rollback that was killed has switched the pointer, perhaps, and holds
        raise
    if made:
        point(store, made, planned.seen, planned.now)
    now = heal(store)
    assert now is not None  # noqa: S101 -- something is published by now
    if sign:
        sign_current(store, now, sign)
    return Published(
        snapshot=now.pointer.snapshot,
        is_new=made is not None,
        changes=planned.changes,
        quarantined=planned.quarantined,
    )


def prepare(store: Store, planned: Plan, sign: Sign | None = None, token: str | None = None) -> Manifest | None:
    """What was `planned` is in the store as a snapshot that is not published; None where it changes nothing.

    The entries beside versions are written already, as they are before any switch. Raises BlockedError, with nothing
    written, where the plan is blocked, or a rollback holds.
    """
    if planned.blocked:
        raise BlockedError("; ".join(f"{each.gate}: {each.why}" for each in planned.blocked))
    if planned.changes:
        refuse_held(planned.seen)
    connectors = _connectors(planned, _write_entries(store, planned))
    if planned.changes or planned.seen is None:
        name = f"{planned.now:%Y%m%dT%H%M%S.%fZ}-{token or secrets.token_hex(4)}"
        parent = planned.seen.pointer.snapshot if planned.seen else None
        return keep(store, _candidate(planned, name, connectors), parent, sign)
    if planned.rows:
        _remember(store, planned, planned.seen, connectors)
    return None


def refuse_held(seen: Current | None) -> None:
    """Nothing holds what is published. Raises BlockedError where a rollback does."""
    if seen and seen.pointer.hold:
        hold = seen.pointer.hold
        told = f"a rollback to {seen.pointer.snapshot} holds since {hold.since:%Y-%m-%d %H:%M} UTC ({hold.reason})"
        raise BlockedError(f"{told}: nothing is published until `headwater registry resume`")


def _write_entries(store: Store, planned: Plan) -> dict[str, str | None]:
    """Write and delete the files beside versions; return the generation of each that was, None of one deleted."""
    paths = list(planned.written)
    chunks = [paths[first::_WRITERS] for first in range(_WRITERS) if paths[first::_WRITERS]]
    done: dict[str, str | None] = {}
    with concurrent.futures.ThreadPoolExecutor(_WRITERS) as pool:
        for found in pool.map(lambda chunk: _write_chunk(store, planned, chunk), chunks):
            done.update(found)
    for path in planned.deleted:
        store.delete(path)
        done[path] = None
    return done


def _write_chunk(store: Store, planned: Plan, paths: Sequence[str]) -> dict[str, str]:
    with store.batch():
        return {path: _written(store, planned, path).generation for path in paths}


def _written(store: Store, planned: Plan, path: str) -> Version:
    data = bytes(planned.written[path])
    if path in planned.listing.files:
        try:
            there = store.get(path)
        except NotFoundError:
            there = None
        if there is not None and there.data == data:
            return there.version
    return store.put(path, data)


def _connectors(planned: Plan, written: Mapping[str, str | None]) -> dict[str, Connector]:
    """Return what is remembered of each connector, now that the entries beside its versions are written."""
    changed: dict[str, dict[str, str | None]] = {}
    for path, generation in written.items():
        changed.setdefault(repository_of(path), {})[path] = generation
    connectors = {row.repository: row.connector for row in planned.rows}
    for name in changed.keys() & connectors.keys():
        own = {**connectors[name].own, **changed[name]}
        kept = {path: generation for path, generation in own.items() if generation is not None}
        connectors[name] = msgspec.structs.replace(connectors[name], own=kept)
    return connectors


def _remember(store: Store, planned: Plan, seen: Current, connectors: Mapping[str, Connector]) -> None:
    """Keep what was seen of files that have changed without changing anything, so that they are not read again."""
    known = planned.inputs.connectors
    placed = {
        name: msgspec.structs.replace(connector, places=known[name].places if name in known else {})
        for name, connector in connectors.items()
    }
    if placed != known:
        inputs = _inputs(planned, seen.pointer.snapshot, placed)
        store.put(SEEN, msgspec.json.encode(inputs), cache_control="no-cache")


def _inputs(planned: Plan, snapshot: str, connectors: Mapping[str, Connector]) -> Inputs:
    return Inputs(snapshot=snapshot, rules=RULES, base_url=planned.options.base_url, connectors=dict(connectors))


def _candidate(planned: Plan, name: str, connectors: Mapping[str, Connector]) -> Candidate:
    counts: dict[str, int] = {each: sum(each in row.entries for row in planned.rows) for each in REGISTRIES}
    return Candidate(id=name, made=planned.now, files=_files(planned, name, connectors), counts=counts)


def _files(planned: Plan, name: str, connectors: Mapping[str, Connector]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a snapshot, one after the other: each is large, and none is needed after it is written."""
    known = [(row.repository, row.connector.kind or "source", row.entries) for row in planned.rows if row.entries]
    places: dict[Registry, dict[str, Place]] = {each: {} for each in REGISTRIES}
    for each in REGISTRIES:
        of_each = [(repository, kind, entries[each]) for repository, kind, entries in known if each in entries]
        yield REGISTRY_FILES[each], registry(of_each, places[each])
    yield "composite_registry.json", composite(known)
    names = [secret for row in planned.rows if row.entries for secret in row.connector.secrets]
    yield "specs_secrets_mask.yaml", secrets_mask(names)
    placed = {
        repository: msgspec.structs.replace(
            connector, places={each: places[each][repository] for each in REGISTRIES if repository in places[each]}
        )
        for repository, connector in connectors.items()
    }
    yield INPUTS, msgspec.json.encode(_inputs(planned, name, placed))
    told = _Changes(changes=planned.changes, quarantined=planned.quarantined)
    yield CHANGES, msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
