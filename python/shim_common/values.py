"""JSON values of one type, where any may come."""

from __future__ import annotations

__all__ = ["Json", "items", "mapping"]

Json = dict[str, object]


def mapping(value: object) -> Json:
    """Return `value` where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """Return `value` where it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []
