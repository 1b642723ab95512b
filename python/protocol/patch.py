"""State on its way: RFC 7396 merge patches, and how Flow folds them (protocol reference, section 2.2)."""

from __future__ import annotations

import msgspec

from python.protocol import document
from python.protocol.flow import ConnectorState

__all__ = ["apply_state", "merge", "merge_patch", "replacement"]


def merge(target: object, patch: object) -> object:
    """Return `target` after the RFC 7396 merge patch `patch`. Neither is changed.

    >>> merge({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def merge_patch(patch: object) -> ConnectorState:
    """Return the state update that merges `patch`, any JSON value, into what is stored: only what changed."""
    return ConnectorState(updated=msgspec.Raw(document.encode(patch)), merge_patch=True)


def replacement(state: object) -> ConnectorState:
    """Return the state update that replaces everything stored by `state`. Null members do not survive it."""
    return ConnectorState(updated=msgspec.Raw(document.encode(state)))


def apply_state(stored: object, update: ConnectorState) -> object:
    """Return the stored state after `update`. A replacement is a null patch followed by the document as a patch."""
    updated = document.decode(update.updated)
    return merge(stored if update.merge_patch else None, updated)
