"""Which alternatives of a `oneOf` may hold for one value at once: JSON Schema refuses that value, `anyOf` takes it.

Alternatives that are told apart are as good as `anyOf`, and are compared one by one. Those that are not are compared as
a whole, too: a change of one of them can refuse what another takes (decision 0122).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from python.importing.nodes import Node, Notes, intersection

__all__ = ["ALTERNATIVES_MAX", "overlapping"]

ALTERNATIVES_MAX = 500
"""How many alternatives are held against each other, each against each: real ones have a few, or list currencies."""


def overlapping(parts: Sequence[Node], around: Node) -> list[str]:
    """Return what identifies those of `parts`, in any order, that another one may share a value with.

    `around` is what the schema says beside its alternatives. Parts that admit the same values have equal texts, and the
    texts say nothing else. Of more than ALTERNATIVES_MAX, all are taken to share.
    """
    types = around.types.union(*(branch.types for branch in around.branches))
    typed = [intersection(Node(types=types), _unnoted(part)) for part in parts]
    found = [each for index, each in enumerate(typed) if len(typed) > ALTERNATIVES_MAX or _shares(each, typed, index)]
    encoded = (msgspec.json.encode(each, order="sorted") for each in found)
    return sorted(hashlib.blake2b(text, digest_size=16).hexdigest() for text in encoded)


def _unnoted(node: Node) -> Node:
    """Return `node` without defaults and other notes, which are compared where they stand and refuse no value."""
    return msgspec.structs.replace(
        node,
        properties={name: _unnoted(member) for name, member in node.properties.items()},
        additional=None if node.additional is None else _unnoted(node.additional),
        items=None if node.items is None else _unnoted(node.items),
        branches=tuple(_unnoted(branch) for branch in node.branches),
        notes=Notes(),
    )


def _shares(part: Node, parts: Sequence[Node], index: int) -> bool:
    return not all(_are_apart(part, other) for at, other in enumerate(parts) if at != index)


def _are_apart(one: Node, other: Node) -> bool:
    """Whether no value is of both, as far as types, listed values and members tell."""
    return all(_is_apart(left, right) for left in one.branches or (one,) for right in other.branches or (other,))


def _is_apart(one: Node, other: Node) -> bool:
    common = _wide(one) & _wide(other)
    if one.values is not None and other.values is not None and "null" not in one.types & other.types:
        return not one.values & other.values
    if not common:
        return True
    return common == {"object"} and (_members_differ(one, other) or _refuses(one, other) or _refuses(other, one))


def _wide(node: Node) -> frozenset[str]:
    return frozenset("number" if kind == "integer" else kind for kind in node.types)


def _members_differ(one: Node, other: Node) -> bool:
    """Whether a member that both name tells them apart: one that is required, or one that is a constant in both.

    Such a constant is what forms ask first, and write always, so it counts even where the schema does not require it.
    """
    for name in one.properties.keys() & other.properties.keys():
        left, right = one.properties[name], other.properties[name]
        if not _are_apart(left, right):
            continue
        if name in one.required | other.required or (_is_constant(left) and _is_constant(right)):
            return True
    return False


def _is_constant(node: Node) -> bool:
    return node.values is not None and len(node.values) == 1


def _refuses(one: Node, other: Node) -> bool:
    """Whether `one` refuses a member that `other` requires."""
    return one.closed and any(name not in one.properties for name in other.required)
