"""A task's state on the wire, and the Airbyte states inside of it (see docs/decisions/0011-airbyte-state.md).

    {"bindingStateV1": {stateKey: {"rowId": n, "previousRows": n, "state": AirbyteStateMessage}},
     "globalStateV1": the shared part of GLOBAL states, "legacyStateV1": what LEGACY states say beside their streams}

Every change is told as a merge patch that holds what changed and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from python.capture import STATES
from python.protocol import document
from python.protocol.flow import ConnectorState
from python.protocol.patch import difference, merge_patch, replacement, without_nulls
from python.shim_airbyte_cdk.identities import Identity, Known, identity_of, told
from python.shim_airbyte_cdk.migration import check_entry, check_streams
from python.shim_airbyte_cdk.models import Json, mapping
from python.shim_airbyte_cdk.records import Target
from python.shim_common.former_states import streams_of
from python.shim_common.values import count, items

__all__ = ["STATES", "TaskState"]

_SHARED = {"GLOBAL": "globalStateV1", "LEGACY": "legacyStateV1"}
_SENTINELS = frozenset({"__ab_full_refresh_sync_complete", "__ab_no_cursor_state_message"})

_logger = logging.getLogger(__name__)


class _Entry:
    """One binding's part: `rows` is the row count to store, `previous` the rows that a refresh may have to delete.

    Until something was read of the binding, `touched` is false and its part stays as it is: it may be another shard's.
    """

    def __init__(self, target: Target, stored: Json | None) -> None:
        self.target = target
        self.rows = count(mapping(stored), "rowId") or 0
        self.state = mapping((stored or {}).get("state")) or _stream_state(target, {})
        self.touched = False
        self.previous: int | None = None
        refreshed = target.row_keyed and not target.incremental
        if refreshed and target.takes_tombstones and (stored is None or "previousRows" in stored):
            self.previous = max(count(mapping(stored), "previousRows") or 0, self.rows)
        target.row_id = self.rows if target.incremental or (refreshed and self.previous is None) else 0

    def keep(self, state: Json) -> None:
        """The stream resumes from `state`, which covers all rows so far."""
        self.state = state
        self.rows = self.target.row_id
        self.touched = True

    def json(self) -> Json:
        live = self.previous is not None
        entry: Json = {"rowId": self.target.row_id if live else self.rows, "state": self.state}
        return {**entry, "previousRows": self.previous} if live else entry


class TaskState:
    """The state of a task during one session. `stored` is what the session was opened with; it is not changed.

    Makes the row ids of `targets` go on where they have to. With `migrate`, a state that airbyte-to-flow left behind
    is taken over, once: where nothing of ours is stored yet. Raises ConnectorError where `stored` cannot be continued.
    """

    def __init__(self, stored: object, targets: Sequence[Target], *, migrate: bool = True) -> None:
        foreign = bool(stored) and STATES not in mapping(stored)
        self._told: Json = {} if foreign else dict(mapping(stored))
        self._patch: Json = {}
        self._shared: Json = {name: self._told[name] for name in _SHARED.values() if name in self._told}
        entries = mapping(self._told.get(STATES))
        for target in targets:
            check_entry(entries.get(target.state_key), target)
        self._told[STATES] = dict(entries)
        self._replaces = foreign and not isinstance(stored, dict)
        self._entries = {
            target.state_key: _Entry(
                target, mapping(entries[target.state_key]) if target.state_key in entries else None
            )
            for target in targets
        }
        self._by_stream = {(target.namespace, target.stream): entry for target, entry in self._pairs()}
        self._ignored: set[Identity] = set()
        self._read: tuple[_Entry, ...] = tuple(self._entries.values())
        self._known = Known(self._by_stream)
        self._lossy = False
        if foreign and migrate:
            check_streams(stored, targets)
            self._migrate(stored)

    def migrated(self) -> ConnectorState | None:
        """Return what takes over the state of airbyte-to-flow, to be told first; None where there is none.

        It is a patch, unless that state is a list, which cannot be patched.
        """
        patch = self.patch() if self._patch else None
        return replacement(document.decode(patch.updated)) if patch and self._replaces else patch

    def messages(self, targets: Iterable[Target]) -> list[Json]:
        """Return the Airbyte state messages that a sync of `targets` resumes from; full refreshes have none.

        From now on states of these targets alone are taken: the others are other shards'.
        """
        self._read = tuple(self._entries[target.state_key] for target in targets)
        self._known = Known((entry.target.namespace, entry.target.stream) for entry in self._read)
        entries = [entry for entry in self._read if entry.target.incremental]
        states = [entry.state for entry in entries]
        resumed = [stream for entry in entries if (stream := _resumed(entry))]
        if any(state.get("type") == "GLOBAL" for state in states):
            shared = mapping(self._shared.get(_SHARED["GLOBAL"]))
            return [{"type": "GLOBAL", "global": {"shared_state": shared, "stream_states": resumed}}]
        if any(state.get("type") == "LEGACY" for state in states):
            data = dict(mapping(self._shared.get(_SHARED["LEGACY"])))
            for entry in entries:
                own = mapping(entry.state.get("stream")).get("stream_state")
                data.update({entry.target.stream: own} if own else mapping(entry.state.get("data")))
            return [{"type": "LEGACY", "data": data}]
        return [{"type": "STREAM", "stream": stream} for stream in resumed]

    def accept(self, message: Json) -> bool:
        """Take over an AirbyteStateMessage; return whether there is now something to checkpoint."""
        kind = message.get("type") or ("STREAM" if "stream" in message else "LEGACY")
        accept = _ACCEPT.get(str(kind))
        if accept is None:
            _logger.warning("the source sent a state of the unknown type %s; it is ignored", kind)
            return False
        if self._lossy and kind in _SHARED:
            return False
        return accept(self, message)

    def fail(self, target: Target) -> None:
        """From now on ignore states of `target`: some of its records could not be captured.

        And those that several streams share: they would pass over these records, too.
        """
        self._lossy = True
        self._ignored.add((target.namespace, target.stream))

    def rows_to_delete(self, target: Target) -> range:
        """Return the row ids that earlier refreshes gave, and this one, which is complete, did not."""
        previous = self._entries[target.state_key].previous
        return range(target.row_id, previous or 0)

    def finish(self, target: Target) -> None:
        """`target` has been read to its end, and what `rows_to_delete` said was deleted."""
        entry = self._entries[target.state_key]
        entry.touched = True
        if entry.previous is not None:
            entry.previous = target.row_id
        elif not target.incremental or _resumable(entry.state):
            entry.rows = target.row_id

    def patch(self) -> ConnectorState | None:
        """Return what has changed since the last call, as a merge patch; None where nothing has."""
        told = mapping(self._told[STATES])
        changes: Json = {}
        for key, entry in self._entries.items():
            if not entry.touched and (entry.previous is None or not entry.target.row_id):
                continue
            current, before = entry.json(), mapping(told.get(key))
            if current != before:
                changes[key] = difference(before, current)
                told[key] = current
        patch, self._patch = self._patch, {}
        if changes:
            patch[STATES] = changes
        for name, value in self._shared.items():
            if self._told.get(name) != value:
                patch[name] = difference(self._told.get(name), value)
                self._told[name] = value
        return merge_patch(patch) if patch else None

    def _migrate(self, stored: object) -> None:
        found = streams_of(stored)
        for target, entry in self._pairs():
            if target.stream in found and target.incremental:
                entry.keep(_stream_state(target, _without_sentinels(found[target.stream])))
        self._patch = dict.fromkeys(mapping(stored))
        self._patch[STATES] = {}
        streams = sorted(found.keys() & {target.stream for target, _ in self._pairs()})
        _logger.info("took over the state of airbyte-to-flow for %s", ", ".join(streams) or "no stream: all start over")

    def _accept_stream(self, message: Json) -> bool:
        return self._set(mapping(message.get("stream")), "STREAM")

    def _accept_global(self, message: Json) -> bool:
        # `global_` is how the models spell a name that Python reserves.
        whole = mapping(message.get("global") or message.get("global_"))
        self._shared[_SHARED["GLOBAL"]] = without_nulls(mapping(whole.get("shared_state")))
        for stream in items(whole.get("stream_states")):
            self._set(mapping(stream), "GLOBAL")
        for entry in self._read:
            if entry.target.incremental:
                entry.keep({**entry.state, "type": "GLOBAL"})
        return True

    def _accept_legacy(self, message: Json) -> bool:
        data = dict(mapping(message.get("data")))
        for entry in self._read:
            name = entry.target.stream
            if entry.target.incremental:
                entry.keep({"type": "LEGACY", "data": {name: without_nulls(data[name])} if name in data else {}})
        streams = {target.stream for target, _ in self._pairs()}
        self._shared[_SHARED["LEGACY"]] = without_nulls({key: data[key] for key in data if key not in streams})
        return True

    def _set(self, stream: Json, kind: str) -> bool:
        identity = identity_of(stream.get("stream_descriptor"))
        meant = self._known.meant(identity)
        identity = meant[0] if len(meant) == 1 else identity
        entry = self._by_stream.get(identity)
        if entry is None:
            if identity not in self._ignored:
                whose = "may be of several streams" if meant else "no binding captures"
                _logger.warning("the source sent a state of %s, which %s; it is ignored", told(identity), whose)
                self._ignored.add(identity)
            return False
        if not entry.target.incremental or entry not in self._read or identity in self._ignored:
            return False
        state = _without_sentinels(mapping(stream.get("stream_state")))
        entry.keep({**_stream_state(entry.target, state), "type": kind})
        return True

    def _pairs(self) -> list[tuple[Target, _Entry]]:
        return [(entry.target, entry) for entry in self._entries.values()]


_ACCEPT: Mapping[str, Callable[[TaskState, Json], bool]] = {
    "STREAM": TaskState._accept_stream,  # noqa: SLF001 -- the table of this module's own class
    "GLOBAL": TaskState._accept_global,  # noqa: SLF001 -- same
    "LEGACY": TaskState._accept_legacy,  # noqa: SLF001 -- same
}


def _stream_state(target: Target, state: object) -> Json:
    descriptor = {"name": target.stream}
    if target.namespace:
        descriptor["namespace"] = target.namespace
    return {"type": "STREAM", "stream": {"stream_descriptor": descriptor, "stream_state": state}}


def _resumed(entry: _Entry) -> Json | None:
    """Return the AirbyteStreamState to resume from, with the stream named as our catalog names it; None without one."""
    state = _without_sentinels(mapping(entry.state.get("stream")).get("stream_state"))
    return mapping(_stream_state(entry.target, state)["stream"]) if state else None


def _without_sentinels(state: object) -> object:
    """Return a stream's state without the marks by which a CDK says that a sync is complete: the next one starts."""
    if not isinstance(state, dict):
        return state
    return without_nulls({name: value for name, value in state.items() if name not in _SENTINELS})


def _resumable(state: Json) -> bool:
    return bool(mapping(state.get("stream")).get("stream_state") or state.get("data"))
