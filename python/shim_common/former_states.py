"""States of airbyte-to-flow, in each of the forms it stored."""

from __future__ import annotations

from python.shim_common.values import Json, mapping

__all__ = ["MERGE_FLAG", "streams_of"]

MERGE_FLAG = "estuary.dev/merge"
"""A member that says how airbyte-to-flow's states were merged, and is of no stream."""


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
    return {name: mapping(value) for name, value in state.items() if isinstance(value, dict) and name != MERGE_FLAG}


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
