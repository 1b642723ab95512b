"""JSON schemas of any draft, read into nodes.

Upstream's schemas are not always ones. What is none, or refers to what is not there, is kept and compared as a whole.

References are followed within the schema, `allOf` is merged, and alternatives that differ in type alone are one node:
`anyOf` of a string and null is a nullable string.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Any
from urllib.parse import unquote

from python.importing.nodes import (
    ANYTHING,
    NOTHING,
    TYPES,
    Bound,
    Node,
    Notes,
    canonical,
    intersection,
    trimmed,
    union,
)
from python.importing.overlaps import overlapping
from python.protocol import pointer
from python.protocol.errors import HeadwaterError

__all__ = ["NODES_MAX", "SchemaError", "node_of"]

NODES_MAX = 200_000
"""How many locations a schema may have, each reference followed: real ones have less than 20,000."""


class SchemaError(HeadwaterError):
    """A schema is too large to be read. Whoever wrote it must act; `at` is the JSON pointer to where we stopped."""

    def __init__(self, *, at: str, problem: str) -> None:
        super().__init__(f"schema {at or '/'}: {problem}")
        self.at = at
        self.problem = problem


def node_of(schema: object) -> Node:
    """Return what `schema` says. Raises SchemaError where it has more locations than NODES_MAX."""
    return _Reader(schema).read(schema, (), ())


_SCHEMAS = frozenset({"if", "then", "else", "not", "contains", "propertyNames"}) | {
    "unevaluatedProperties",
    "unevaluatedItems",
}
_MAPS_OF_SCHEMAS = frozenset({"patternProperties", "dependentSchemas"})
_VALUES = frozenset({"dependentRequired", "minContains", "maxContains", "x-str-minimum", "x-str-maximum"})
_PLAIN_BOUNDS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "multipleOf")
_SAYS_NOTHING = {"minLength": 0, "minItems": 0, "minProperties": 0}
_ROLES = ("x-collection-name", "x-schema-name", "x-delta-updates")
_Path = tuple[str, ...]


class _Reader:
    """Reads the parts of one schema, `root`, and counts them."""

    def __init__(self, root: object) -> None:
        self._root = root
        self._count = 0
        self._named = _identified(root)

    def read(self, schema: object, at: _Path, within: tuple[str, ...]) -> Node:
        """Return the node of `schema`, which is at `at`; `within` are the references that led here, in order."""
        self._count += 1
        if self._count > NODES_MAX:
            raise SchemaError(
                at=pointer.join(at), problem=f"more than {NODES_MAX:,} locations, with references followed"
            )
        if isinstance(schema, bool):
            return ANYTHING if schema else NOTHING
        if not isinstance(schema, Mapping):
            return Node(conditions={"no schema": canonical(schema)})
        node = trimmed(self._own(schema, at, within))
        for index, part in enumerate(_listed(schema, "allOf")):
            node = intersection(node, self.read(part, (*at, "allOf", str(index)), within))
        if isinstance(schema.get("$ref"), str):
            node = intersection(node, self._referred(schema["$ref"], within))
        around = node
        for keyword in ("anyOf", "oneOf"):
            parts = _listed(schema, keyword)
            read = [self.read(part, (*at, keyword, str(index)), within) for index, part in enumerate(parts)]
            if read:
                node = intersection(node, union(part for part in read if part != NOTHING))
            shared = overlapping(read, around) if keyword == "oneOf" else []
            if shared:
                node = intersection(node, Node(conditions={"oneOf": shared}))
        return node

    def _referred(self, reference: str, within: tuple[str, ...]) -> Node:
        if reference in within:
            return Node(recursive=len(within) - within.index(reference))
        path = self._named.get(reference)
        if path is None and reference.startswith("#"):
            tokens = unquote(reference[1:])
            path = pointer.parse(tokens) if tokens.startswith("/") or not tokens else None
        target = pointer.MISSING if path is None else pointer.resolve(self._root, path)
        if path is None or target is pointer.MISSING:
            return Node(conditions={"$ref": reference})
        return self.read(target, path, (*within, reference))

    def _own(self, schema: Mapping[str, Any], at: _Path, within: tuple[str, ...]) -> Node:
        """Return what the schema says by itself: neither by reference nor by its parts."""
        types, values = _types(schema), _values(schema)
        if values is not None and "null" not in values:
            types = types - {"null"}
        members = schema.get("properties")
        members = members if isinstance(members, Mapping) else {}
        return Node(
            types=types,
            values=None if values is None else values - {"null"},
            format=_text(schema.get("format")),
            patterns=frozenset({schema["pattern"]}) if _text(schema.get("pattern")) else frozenset(),
            bounds=_bounds(schema, types),
            properties={name: self.read(part, (*at, "properties", name), within) for name, part in members.items()},
            required=frozenset(name for name in _listed(schema, "required") if isinstance(name, str)),
            additional=self._rest(schema, "additionalProperties", at, within),
            items=self._items(schema, at, within),
            conditions=self._conditions(schema, at, within),
            notes=_notes(schema),
        )

    def _items(self, schema: Mapping[str, Any], at: _Path, within: tuple[str, ...]) -> Node | None:
        tuples = isinstance(schema.get("items"), list)  # before 2020-12, this is `prefixItems`
        return self._rest(schema, "additionalItems" if tuples else "items", at, within)

    def _rest(self, schema: Mapping[str, Any], keyword: str, at: _Path, within: tuple[str, ...]) -> Node | None:
        node = self.read(schema.get(keyword, True), (*at, keyword), within)
        return None if node == ANYTHING else node

    def _conditions(self, schema: Mapping[str, Any], at: _Path, within: tuple[str, ...]) -> dict[str, object]:
        unknown = _names(schema) - TYPES - {"integer"}
        found: dict[str, object] = {"type": canonical(sorted(unknown))} if unknown else {}
        for name, value in schema.items():
            if name in _SCHEMAS and (name not in ("then", "else") or "if" in schema):
                found[name] = self.read(value, (*at, name), within)
            elif name in _MAPS_OF_SCHEMAS and isinstance(value, Mapping) and value:
                found[name] = {each: self.read(part, (*at, name, each), within) for each, part in value.items()}
            elif name == "prefixItems" or (name == "items" and isinstance(value, list)):
                parts = enumerate(_listed(schema, name))
                found["prefixItems"] = [self.read(part, (*at, name, str(index)), within) for index, part in parts]
            elif name in _VALUES:
                found[name] = canonical(_unordered(value))
        return found


def _unordered(value: object) -> object:
    """Return the names that `dependentRequired` lists in one order."""
    if not isinstance(value, Mapping):
        return value
    return {name: sorted(each) if isinstance(each, list) else each for name, each in value.items()}


def _identified(root: object) -> dict[str, _Path]:
    """Return where `$id`, `$anchor` and their kin name a part of the schema."""
    found: dict[str, _Path] = {}
    waiting: list[tuple[_Path, object]] = [((), root)]
    while waiting:
        at, part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(((*at, str(index)), child) for index, child in enumerate(part))
        if not isinstance(part, Mapping):
            continue
        waiting.extend(((*at, name), child) for name, child in part.items())
        for name, before in (("$id", ""), ("$anchor", "#"), ("$dynamicAnchor", "#")):
            if isinstance(part.get(name), str):
                found.setdefault(f"{before}{part[name]}", at)
    return found


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    given = _names(schema)
    if not given or not given <= TYPES | {"integer"}:
        return TYPES
    if schema.get("nullable") is True:
        given |= {"null"}
    return given - {"integer"} if "number" in given else given


def _names(schema: Mapping[str, Any]) -> frozenset[str]:
    given = schema.get("type", [])
    return frozenset(each if isinstance(each, str) else canonical(each) for each in _as_list(given))


def _values(schema: Mapping[str, Any]) -> frozenset[str] | None:
    lists = [schema["enum"]] if isinstance(schema.get("enum"), list) else []
    lists += [[schema["const"]]] if "const" in schema else []
    sets = [frozenset(canonical(value) for value in each) for each in lists]
    return frozenset.intersection(*sets) if sets else None


def _bounds(schema: Mapping[str, Any], types: frozenset[str]) -> dict[str, Bound]:
    found = {name: Bound(schema[name]) for name in _PLAIN_BOUNDS if _number(schema.get(name))}
    found = {name: bound for name, bound in found.items() if _SAYS_NOTHING.get(name) != bound.value}
    if schema.get("uniqueItems") is True:
        found["uniqueItems"] = Bound(1)
    integers = not types & {"number"}
    for name, exclusive, step in (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1)):
        limits = [Bound(schema[name], schema.get(exclusive) is True)] if _number(schema.get(name)) else []
        limits += [Bound(schema[exclusive], exclusive=True)] if _number(schema.get(exclusive)) else []
        if limits:
            limit = max(limits, key=_tightness if step > 0 else _tightness_above)
            found[name] = Bound(_next(limit.value, step)) if integers and limit.exclusive else limit
    return found


def _tightness(bound: Bound) -> tuple[float, bool]:
    return (bound.value, bound.exclusive)


def _tightness_above(bound: Bound) -> tuple[float, bool]:
    return (-bound.value, bound.exclusive)


def _next(value: float, step: int) -> float:
    """Return the integer beside `value`, up or down."""
    return floor(value) + 1 if step > 0 else -(floor(-value) + 1)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _listed(schema: Mapping[str, Any], keyword: str) -> list[Any]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []  # `required: true`, of the draft before the fourth, is not heeded


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _notes(schema: Mapping[str, Any]) -> Notes:
    default = schema.get("default")  # null is what pydantic writes where there is none
    encodings = [schema.get("contentEncoding"), schema.get("contentMediaType")]
    return Notes(
        default=None if default is None else canonical(default),
        secret=schema.get("secret") is True or schema.get("airbyte_secret") is True,
        role=next((name for name in _ROLES if schema.get(name)), None),
        provider=_text(schema.get("x-oauth2-provider")),
        encoding=canonical(encodings) if any(encodings) else None,
        inferred=schema.get("x-infer-schema") is True,
        reduce=canonical(schema["reduce"]) if "reduce" in schema else None,
        redact=canonical(schema["redact"]) if "redact" in schema else None,
    )
