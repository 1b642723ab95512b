"""States that others left behind: those of airbyte-to-flow are taken over, and what we cannot read is refused.

To start over without such a state is for the user to say, with a binding's backfill counter (decision 0098).
"""

from __future__ import annotations

from collections.abc import Sequence

from python.shim_airbyte_cdk.models import Json, mapping
from python.shim_airbyte_cdk.records import Target
from python.shim_common.refusals import refuse

__all__ = ["check_entry", "check_streams", "streams_of"]

_MERGE_FLAG = "estuary.dev/merge"
_AIRBYTE = frozenset({"type", "stream", "data", "global", "global_"})  # the members of a state message
_OURS = frozenset({"rowId", "previousRows", "state"})


def streams_of(stored: object) -> dict[str, Json]:
    """Return the state of each stream by its name; airbyte-to-flow dropped namespaces.

    `stored` is an object of states by stream, an Airbyte state message, or a list of messages. What is none of them
    gives nothing.
    """
    if isinstance(stored, list):
        return {name: state for message in stored for name, state in streams_of(message).items()}
    state = mapping(stored)
    if "type" in state and state["type"] in ("STREAM", "LEGACY", "GLOBAL"):
        return _of_message(state)
    return {name: mapping(value) for name, value in state.items() if isinstance(value, dict) and name != _MERGE_FLAG}


def _of_message(message: Json) -> dict[str, Json]:
    if message.get("data") is not None:
        return streams_of({name: value for name, value in mapping(message["data"]).items() if name != "type"})
    whole = mapping(message.get("global"))
    states = whole.get("stream_states") if whole else [message.get("stream")]
    found = [mapping(state) for state in states] if isinstance(states, list) else []
    return {
        str(mapping(state.get("stream_descriptor")).get("name")): mapping(state.get("stream_state"))
        for state in found
        if state
    }


def check_streams(stored: object, targets: Sequence[Target]) -> None:
    """Raise ConnectorError where nothing of a foreign state, `stored`, can be continued by `targets`.

    Targets that a backfill was asked for have nothing to continue, nor have full refreshes.
    """
    found = streams_of(stored)
    waiting = [target for target in targets if target.incremental and not target.backfill]
    if isinstance(stored, dict) and stored.keys() <= {_MERGE_FLAG}:
        return
    if waiting and not any(target.stream in found for target in targets if target.incremental):
        told = f"it has states of {', '.join(sorted(found))}" if found else "no stream has a state there"
        refuse(stored, [target.name for target in waiting], f"it is not of these streams: {told}")


def check_entry(stored: object, target: Target) -> None:
    """Raise ConnectorError where `stored`, which is kept of the binding of `target`, is of no Airbyte stream."""
    entry = mapping(stored)
    state = entry.get("state")
    known = not entry or entry.keys() & _OURS
    if target.incremental and (not known or (state and not mapping(state).keys() & _AIRBYTE)):
        refuse(stored, [target.name], "it is of no Airbyte stream")
