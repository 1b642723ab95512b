"""The key of a stream's documents: whether Flow can use it, and how it is told to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from python.protocol import pointer
from python.protocol.errors import DocumentError
from python.shim_common.collection import ROW_ID_POINTER

__all__ = ["KEY_TYPES", "Key"]

KEY_TYPES = frozenset({int, str, bool})
"""A value of one of these types surely is a part of a key; of another, `Key.check` has to look."""


class Key:
    """A collection's `key`, of JSON pointers, as far as records have it: row ids are ours.

    `names` are the members of a record in which its parts are found.
    """

    def __init__(self, key: Iterable[str]) -> None:
        self._parts = tuple((at, pointer.parse(at)) for at in key if at != ROW_ID_POINTER)
        self.names = tuple(tokens[0] for _, tokens in self._parts)

    def check(self, data: Mapping[str, object]) -> None:
        """Raise DocumentError for the first part of the key that Flow could not use."""
        for at, tokens in self._parts:
            problem = _problem(pointer.resolve(data, tokens))
            if problem:
                raise DocumentError(at=at, problem=f"{problem}; a key is a text, an integer or a boolean")

    def told(self, data: Mapping[str, object], row_id: int) -> str:
        """Return which document `data` is: its key, and the number of its row where that is no whole key."""
        values = {at: pointer.resolve(data, tokens) for at, tokens in self._parts}
        told = [f"{at}={value!r}" for at, value in values.items() if not _problem(value)]
        return ", ".join(told if told and len(told) == len(values) else [*told, f"row {row_id}"])


def _problem(value: object) -> str:
    """Return why `value` cannot be a part of a key, or an empty text."""
    if value is pointer.MISSING:
        return "is missing"
    if value is None:
        return "is null"
    if isinstance(value, (Mapping, list, tuple)):
        return "is an object" if isinstance(value, Mapping) else "is an array"
    return f"is {value}" if isinstance(value, (float, Decimal)) and value != value // 1 else ""
