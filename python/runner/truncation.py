"""What is cut off documents on their way to an endpoint that cannot take large ones (protocol reference, section 2.5).

The policy is the connector's (`serPolicy` in `validated`). Keys stay whole, and so does what they are within.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from python.protocol import document, pointer
from python.protocol.flow import SerPolicy

__all__ = ["Truncation", "truncation_of"]

_Kept = Mapping[str, Any]  # the members on the way to keys, and at a key, nothing


def truncation_of(policy: SerPolicy | None, keys: Sequence[str]) -> Truncation | None:
    """Return what `policy` cuts off documents with `keys`, as JSON pointers; None where it cuts nothing."""
    if policy is None or policy == SerPolicy():
        return None
    return Truncation(policy, keys)


class Truncation:
    """A policy, applied to texts of JSON. What is short enough is returned as it is, the very object."""

    def __init__(self, policy: SerPolicy, keys: Sequence[str]) -> None:
        self._policy = policy
        self._kept: dict[str, Any] = {}
        for key in keys:
            node = self._kept
            for token in pointer.parse(key):
                node = node.setdefault(token, {})
        # As text, whatever is beyond a limit has so many bytes: a string its own, an item or a property two, or five.
        limits = (policy.str_truncate_after, 5 * policy.nested_obj_truncate_after, 2 * policy.array_truncate_after)
        self._bytes_min = min(limit for limit in limits if limit)

    def document(self, text: bytes) -> bytes:
        """Return a document, whose own properties all stay, with what is too long in it cut off."""
        return self._cut(text, self._kept)

    def value(self, text: bytes) -> bytes:
        """Return a value of a document, with what is too long cut off."""
        return self._cut(text, None)

    def _cut(self, text: bytes, kept: _Kept | None) -> bytes:
        if len(text) <= self._bytes_min:
            return text
        whole = document.decode(text)
        cut = self._shorter(whole, kept)
        return text if cut is whole else document.encode(cut)

    def _shorter(self, value: object, kept: _Kept | None) -> object:
        """Return `value`, or where something is too long in it, what is left of it."""
        if isinstance(value, str):
            return value if kept is not None else self._text(value)
        if isinstance(value, dict):
            return self._members(value, kept)
        return self._items(value, kept) if isinstance(value, list) else value

    def _text(self, value: str) -> str:
        most = self._policy.str_truncate_after
        if not most or len(value) <= most // 4:  # no character has more than four bytes
            return value
        raw = value.encode()
        return value if len(raw) <= most else raw[:most].decode(errors="ignore")

    def _members(self, value: dict[str, object], kept: _Kept | None) -> dict[str, object]:
        most = self._policy.nested_obj_truncate_after if kept is None else 0
        names = list(value)[:most] if most else list(value)
        found = {name: self._shorter(value[name], (kept or {}).get(name)) for name in names}
        same = len(names) == len(value) and all(found[name] is value[name] for name in names)
        return value if same else found

    def _items(self, value: list[object], kept: _Kept | None) -> list[object]:
        most = self._policy.array_truncate_after if kept is None else 0
        some = value[:most] if most else value
        found = [self._shorter(item, (kept or {}).get(str(number))) for number, item in enumerate(some)]
        same = len(some) == len(value) and all(one is other for one, other in zip(found, some, strict=True))
        return value if same else found
