"""What a connector's state has of each binding, whoever stored it: airbyte-to-flow, Estuary's shims, a tap, or ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from python.importing.snapshots import Json
from python.protocol.state_key import encode_state_key
from python.shim_common.former_states import streams_of

__all__ = ["Bound", "Stored", "backfill_of", "bound", "inner", "stored_in"]

_STATES = "bindingStateV1"
_COUNTER = re.compile(r"(.+?)(?:\.v(\d+))?")
_OLD_COUNTER = "estuary.dev/rowCounter"  # Estuary's Singer shim kept the row count in the bookmark


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A binding, as its state is found: `streams` are the names that a state without state keys may have it under.

    `refreshed` says that it is read whole each time. `cursor_field` is the field that tells what is new, if one does.
    """

    name: str
    collection: str
    state_key: str
    streams: tuple[str, ...]
    refreshed: bool = False
    cursor_field: str | None = None


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A state, taken apart: `form` says whose it is, `parts` has what is stored of bindings, by their state keys.

    `unclaimed` are the names of parts that belong to no binding.
    """

    form: str
    parts: Mapping[str, Json] = {}
    unclaimed: tuple[str, ...] = ()


def bound(resource: Json, path: Sequence[str], collection: str, backfill: int) -> Bound:
    """Return the binding that has this resource config, resource path, collection and backfill counter."""
    config = resource if isinstance(resource, Mapping) else {}
    cursor = config.get("cursorField") or config.get("replication_key")
    cursor = cursor[-1] if isinstance(cursor, list) and len(cursor) == 1 else cursor
    names = [config.get("tap_stream_id"), config.get("stream"), path[-1]]
    return Bound(
        name="/".join(path),
        collection=collection,
        state_key=encode_state_key(path, backfill),
        streams=tuple(dict.fromkeys(name for name in names if isinstance(name, str))),
        refreshed=config.get("syncMode") == "full_refresh" or config.get("replication_method") == "FULL_TABLE",
        cursor_field=cursor if isinstance(cursor, str) else None,
    )


def backfill_of(state: Json, path: Sequence[str]) -> int:
    """Return the backfill counter under which `state` has the binding with this resource path; 0 where it has not.

    >>> backfill_of({"bindingStateV1": {"users.v2": {}, "users.v1": {}}}, ["users"])
    2
    """
    key = encode_state_key(path, 0)
    parts = state.get(_STATES) if isinstance(state, Mapping) else None
    found = [_key(each) for each in parts] if isinstance(parts, Mapping) else []
    return max((counter for name, counter in found if name == key), default=0)


def _key(text: str) -> tuple[str, int]:
    match = _COUNTER.fullmatch(text)
    return (match[1], int(match[2] or 0)) if match else (text, 0)


def stored_in(state: Json, bindings: Sequence[Bound]) -> Stored:
    """Return what `state` has of `bindings`. Nulls and empty objects are nothing."""
    if isinstance(state, Mapping) and isinstance(state.get(_STATES), Mapping):
        return _by_state_key(state[_STATES], bindings)
    if isinstance(state, Mapping) and isinstance(state.get("bookmarks"), Mapping):
        return _by_stream("a tap's own", state["bookmarks"], bindings)
    form = "airbyte-to-flow's" if streams_of(state) else "of no known form" if state else "empty"
    return _by_stream(form, streams_of(state), bindings)


def _by_state_key(entries: Mapping[str, Json], bindings: Sequence[Bound]) -> Stored:
    parts = {each.state_key: entries[each.state_key] for each in bindings if entries.get(each.state_key)}
    known = {_key(each.state_key)[0] for each in bindings}
    unclaimed = [name for name, value in entries.items() if value and _key(name)[0] not in known]
    shims = any(isinstance(value, Mapping) and {"rowId", _OLD_COUNTER} & {*value} for value in entries.values())
    form = "a shim's, by state key" if shims else "by state key"
    return Stored(form=form, parts=parts, unclaimed=tuple(sorted(unclaimed)))


def _by_stream(form: str, streams: Mapping[str, Json], bindings: Sequence[Bound]) -> Stored:
    parts: dict[str, Json] = {}
    claimed: set[str] = set()
    for each in bindings:
        name = next((name for name in each.streams if streams.get(name)), None)
        if name is not None:
            parts[each.state_key] = streams[name]
            claimed.add(name)
    unclaimed = sorted(name for name, value in streams.items() if value and name not in claimed)
    return Stored(form=form, parts=parts, unclaimed=tuple(unclaimed))


def inner(part: Json, stream: str) -> Json:
    """Return what a source itself said in `part`: an Airbyte stream's state, a tap's bookmark, or all of it."""
    return next(_inner(part, stream), part)


def _inner(part: Json, stream: str) -> Iterator[Json]:
    if not isinstance(part, Mapping):
        return
    if _OLD_COUNTER in part:
        yield {name: value for name, value in part.items() if name != _OLD_COUNTER}
    if "rowId" not in part and "previousRows" not in part:
        return
    state = part.get("state")
    if not isinstance(state, Mapping) or state.get("type") not in ("STREAM", "LEGACY", "GLOBAL"):
        yield state
        return
    data = state.get("data")
    yield (state.get("stream") or {}).get("stream_state") if not data else data.get(stream, data)
