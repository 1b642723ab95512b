"""The lines that `headwater preview` prints, as flowctl does (reference, 10.1)."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from python.protocol import document
from python.protocol.flow import CollectionSpec, ConnectorState
from python.protocol.patch import merge, merge_patch
from python.runner.combiner import in_key_order, with_uuid_placeholder

__all__ = ["action_line", "change_line", "document_lines", "state_line"]


def document_lines(collection: CollectionSpec, combined: Mapping[str, bytes]) -> Iterator[str]:
    """Yield committed documents of a collection, in key order."""
    name = json.dumps(collection.name, ensure_ascii=False)
    for text in in_key_order(combined):
        yield f"[{name},{with_uuid_placeholder(text, collection.uuid_ptr).decode()}]"


def action_line(action: str) -> str:
    """Return what an `apply` did."""
    return f'["applied.actionDescription", {json.dumps(action, ensure_ascii=False)}]'


def state_line(state: object) -> str:
    """Return the whole state, as it is in the end."""
    return f'["connectorState",{document.encode({"updated": state}).decode()}]'


def change_line(states: Sequence[ConnectorState], before: object, after: object) -> str:
    """Return the change of the state: one patch, or the whole state where no patch is known that does the same."""
    if all(state.merge_patch for state in states):
        patch = functools.reduce(_compose, (document.decode(state.updated) for state in states))
        if document.encode(merge(before, patch)) == document.encode(after):
            return f'["connectorState",{msgspec.json.encode(merge_patch(patch)).decode()}]'
    return state_line(after)


def _compose(first: object, second: object) -> object:
    """Return the merge patch that does what `first` and then `second` do; nulls stay, since they delete.

    Where `second` adds to an object that `first` removes or replaces, no merge patch does that.
    """
    if not isinstance(first, dict) or not isinstance(second, dict):
        return second
    return {**first, **{name: _compose(first.get(name), value) for name, value in second.items()}}
