"""What a JSON schema says of one location, in one canonical form: schemas that say the same are equal nodes.

Titles, descriptions, examples, order and unknown keywords say nothing of a value, so nodes do not hold them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import NamedTuple

import msgspec

__all__ = [
    "ANYTHING",
    "NOTHING",
    "TYPES",
    "Bound",
    "Node",
    "Notes",
    "canonical",
    "intersection",
    "trimmed",
    "type_of",
    "union",
]

TYPES = frozenset({"null", "boolean", "object", "array", "number", "string"})
"""The types of values; `integer` is another one, which `number` includes."""


class Bound(NamedTuple):
    """A limit: its value, and whether that value itself is out of bounds."""

    value: float
    exclusive: bool = False


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """What a schema says of a location beside the values that it admits; `default` and the last three are JSON texts.

    `role` names Flow's meaning of a location of a materialization's resource: `x-collection-name` and its like.
    """

    default: str | None = None
    secret: bool = False
    role: str | None = None
    provider: str | None = None
    encoding: str | None = None
    inferred: bool = False
    reduce: str | None = None
    redact: str | None = None


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """The values that one location admits.

    `values` are the JSON texts of an enumeration, without null, which `types` tells of. `additional` is what members
    without a name here are, `items` what items are; None where they may be anything. `branches` are alternatives, each
    complete in itself: a node with branches says nothing else but notes. `conditions` holds keywords which are only
    ever compared as a whole. A location that refers to a node around it is `recursive`: how many references up.
    """

    types: frozenset[str] = TYPES
    values: frozenset[str] | None = None
    format: str | None = None
    patterns: frozenset[str] = frozenset()
    bounds: Mapping[str, Bound] = {}
    properties: Mapping[str, Node] = {}
    required: frozenset[str] = frozenset()
    additional: Node | None = None
    items: Node | None = None
    branches: tuple[Node, ...] = ()
    conditions: Mapping[str, object] = {}
    recursive: int = 0
    notes: Notes = Notes()

    def member(self, name: str) -> Node | None:
        """Return what the member `name` is, or None where nothing is said of it."""
        known = self.properties.get(name)
        return ANYTHING if known is None and name in self.required else known

    @property
    def closed(self) -> bool:
        """Whether members without a name here are refused."""
        return self.additional == NOTHING


ANYTHING = Node()
NOTHING = Node(types=frozenset())

LOWER = frozenset({"minimum", "minLength", "minItems", "minProperties", "uniqueItems", "multipleOf"})
_FIRST = {"n": "null", "t": "boolean", "f": "boolean", "{": "object", "[": "array", '"': "string"}
_NUMBERS = frozenset({"number", "integer"})
_BOUNDED = {
    **dict.fromkeys(("minimum", "maximum", "multipleOf"), _NUMBERS),
    **dict.fromkeys(("minLength", "maxLength"), frozenset({"string"})),
    **dict.fromkeys(("minItems", "maxItems", "uniqueItems"), frozenset({"array"})),
    **dict.fromkeys(("minProperties", "maxProperties"), frozenset({"object"})),
}
_TYPED = {"object": ("properties", "required", "additional"), "array": ("items",), "string": ("format", "patterns")}


def canonical(value: object) -> str:
    """Return the JSON text of `value`, the same for equal values: members sorted, 1.0 as 1."""
    return msgspec.json.encode(_plain(value), order="sorted").decode()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def intersection(left: Node, right: Node) -> Node:
    """Return the node of what both `left` and `right` admit, as `allOf` has it."""
    if right in (ANYTHING, left):
        return left
    if left == ANYTHING:
        return right
    if left.branches or right.branches:
        parts = [intersection(one, other) for one in left.branches or (left,) for other in right.branches or (right,)]
        notes = _noted(left.notes, right.notes)
        return msgspec.structs.replace(union([part for part in parts if part.types] or [NOTHING]), notes=notes)
    names = dict.fromkeys([*left.properties, *right.properties])
    both = Node(
        types=_common_types(left.types, right.types),
        values=_common_values(left.values, right.values),
        format=left.format or right.format,
        patterns=left.patterns | right.patterns,
        bounds={name: _tighter(name, left, right) for name in {**left.bounds, **right.bounds}},
        properties={name: _both(left.properties.get(name), right.properties.get(name)) or ANYTHING for name in names},
        required=left.required | right.required,
        additional=_both(left.additional, right.additional),
        items=_both(left.items, right.items),
        conditions=_conditions(left, right),
        recursive=left.recursive or right.recursive,
        notes=_noted(left.notes, right.notes),
    )
    return trimmed(both)


def trimmed(node: Node) -> Node:
    """Return `node` without what limits types that it refuses anyway, and without types that its values lack."""
    types, values = node.types, node.values
    if values is not None:
        values = frozenset(text for text in values if _common_types(types, frozenset({type_of(text)})))
        types = frozenset(type_of(text) for text in values) | (types & {"null"})
    changes: dict[str, object] = {"types": _sum_of_types(types, frozenset()), "values": values}
    for kind, names in _TYPED.items():
        if kind not in types:
            changes |= {name: getattr(NOTHING, name) for name in names}
    bounds = {name: bound for name, bound in node.bounds.items() if types & _BOUNDED[name]}
    return msgspec.structs.replace(node, bounds=bounds, **changes)


def type_of(text: str) -> str:
    """Return the type of the value whose JSON text is `text`."""
    if text[0] in _FIRST:
        return _FIRST[text[0]]
    return "number" if set(text) & set(".eE") else "integer"


def union(parts: Iterable[Node]) -> Node:
    """Return the node of what at least one of `parts` admits: one node where that loses nothing, else branches.

    The order of `parts` does not matter. Each is taken apart by type; a type that one part alone describes goes with
    the other such types into one node.
    """
    whole: list[Node] = []
    groups: dict[str, list[Node]] = {}
    for part in (branch for node in parts for branch in node.branches or (node,)):
        if part.conditions or part.recursive:
            whole.append(part)
            continue
        for kind in part.types:
            _gather(groups.setdefault("number" if kind == "integer" else kind, []), _only(part, kind))
    single = [found[0] for found in groups.values() if len(found) == 1]
    several = [node for found in groups.values() if len(found) > 1 for node in found]
    branches = [*_distinct(whole), *several, *_side_by_side(single)]
    if len(branches) == 1:
        return branches[0]
    return Node(types=frozenset(), branches=tuple(sorted(branches, key=_text)))


def _only(node: Node, kind: str) -> Node:
    part = trimmed(msgspec.structs.replace(node, types=frozenset({kind})))
    return msgspec.structs.replace(part, notes=Notes(), values=None) if kind == "null" else part


def _gather(found: list[Node], node: Node) -> None:
    """Add `node` to the nodes of one type: into one of them, where that loses nothing."""
    for index, other in enumerate(found):
        if (node.values is None) == (other.values is None) and _bare(node) == _bare(other):
            values = None if node.values is None or other.values is None else node.values | other.values
            types = _sum_of_types(node.types, other.types)
            found[index] = msgspec.structs.replace(node, types=types, values=values)
            return
    found.append(node)


def _side_by_side(single: list[Node]) -> list[Node]:
    """Return as few nodes as can be for nodes of one type each: an enumeration lists the values of every type."""
    enumerated = [node for node in single if node.values is not None]
    free = [node for node in single if node.values is None]
    if enumerated and all(node.types == {"null"} for node in free):
        return [reduce(_beside, [*enumerated, *free])]
    return [*enumerated, *([reduce(_beside, free)] if free else [])]


def _beside(left: Node, right: Node) -> Node:
    """Return one node of two which share no type: each keyword limits values of one type only."""
    taken = {
        name: getattr(left if kind in left.types else right, name) for kind, names in _TYPED.items() for name in names
    }
    enumerated = [side.values for side in (left, right) if side.values is not None]
    return Node(
        **taken,
        types=left.types | right.types,
        values=frozenset().union(*enumerated) if enumerated else None,
        bounds={**left.bounds, **right.bounds},
        notes=_noted(left.notes, right.notes),
    )


def _distinct(nodes: list[Node]) -> list[Node]:
    return list({_text(node): node for node in nodes}.values())


def _text(node: Node) -> bytes:
    return msgspec.json.encode(node, order="sorted")


def _bare(node: Node) -> Node:
    return msgspec.structs.replace(node, values=None, types=TYPES)


def _common_types(left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    both = left & right
    integers = ("integer" in left and "number" in right) or ("number" in left and "integer" in right)
    return both | {"integer"} if integers else both


def _common_values(left: frozenset[str] | None, right: frozenset[str] | None) -> frozenset[str] | None:
    return left & right if left is not None and right is not None else right if left is None else left


def _sum_of_types(left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    either = left | right
    return either - {"integer"} if "number" in either else either


def _both(left: Node | None, right: Node | None) -> Node | None:
    return intersection(left, right) if left is not None and right is not None else left or right


def _tighter(name: str, left: Node, right: Node) -> Bound:
    given = [side.bounds[name] for side in (left, right) if name in side.bounds]
    return max(given) if name in LOWER else min(given, key=lambda bound: (bound.value, not bound.exclusive))


def _conditions(left: Node, right: Node) -> dict[str, object]:
    merged = dict(left.conditions)
    for name, value in right.conditions.items():
        free = name if merged.get(name, value) == value else f"{name} of another part"
        merged[free] = value
    return merged


def _noted(left: Notes, right: Notes) -> Notes:
    members = {name: getattr(left, name) or getattr(right, name) for name in Notes.__struct_fields__}
    return Notes(**members)
