"""State on its way: RFC 7396 merge patches, and how Flow folds them (protocol reference, section 2.2)."""

from __future__ import annotations

import copy

import msgspec

from python.protocol import document
from python.protocol.flow import ConnectorState

__all__ = ["apply_state", "difference", "merge", "merge_patch", "replacement", "without_nulls"]


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


def difference(before: object, after: object) -> object:
    """Return the merge patch that makes `after` of `before`; `after` must not hold null members.

    >>> difference({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 2, "d": 4}})
    {'a': None, 'b': {'d': 4}}
    """
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    gone: dict[str, object] = dict.fromkeys(name for name in before if name not in after)
    changed = {
        name: difference(before.get(name), value)
        for name, value in after.items()
        if name not in before or before[name] != value
    }
    return {**gone, **changed}


def without_nulls(value: object) -> object:
    """Return `value` without the null members that no merge patch can store. Lists are stored whole, as they are.

    The result shares nothing with `value`, whose owner may go on changing it.
    """
    if not isinstance(value, dict):
        return copy.deepcopy(value) if isinstance(value, list) else value
    return {name: without_nulls(item) for name, item in value.items() if item is not None}


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
