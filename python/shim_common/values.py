"""JSON values of one type, where any may come."""

from __future__ import annotations

__all__ = ["Json", "count", "items", "mapping"]

Json = dict[str, object]


def mapping(value: object) -> Json:
    """Return `value` where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """Return `value` where it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def count(stored: Json, name: str) -> int | None:
    """Return the member `name` of `stored` where it is a count: an integer of 0 or more; None where it is not."""
    value = stored.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
