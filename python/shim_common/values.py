"""JSON values, and how one becomes another: the patches that states are told by."""

from __future__ import annotations

__all__ = ["Json", "difference", "items", "mapping", "without_nulls"]

Json = dict[str, object]


def mapping(value: object) -> Json:
    """Return `value` where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """Return `value` where it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def difference(before: object, after: object) -> object:
    """Return the merge patch that makes `after` of `before`; `after` must not hold null members.

    >>> difference({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 2, "d": 4}})
    {'a': None, 'b': {'d': 4}}
    """
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    gone: Json = dict.fromkeys(name for name in before if name not in after)
    changed = {
        name: difference(before.get(name), value)
        for name, value in after.items()
        if name not in before or before[name] != value
    }
    return {**gone, **changed}


def without_nulls(value: object) -> object:
    """Return `value` without the null members that no merge patch can store. Lists are stored whole, as they are."""
    if not isinstance(value, dict):
        return value
    return {name: without_nulls(item) for name, item in value.items() if item is not None}
