"""Reducing documents as their schema's `reduce` annotations ask (protocol reference, section 11.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs
import msgspec

from python.protocol import pointer
from python.protocol.pointer import MISSING
from python.runner.reducers import REDUCERS, ReductionError, Strategy

__all__ = ["DELETED", "Plan", "plan_of"]

DELETED = MISSING
"""What `Plan.reduce` returns for a document that its annotations delete."""


class _Node(msgspec.Struct, eq=False):
    """What a schema location says about reduction, of itself and below. Compiled once; may refer to itself."""

    strategy: Strategy | None = None
    properties: dict[str, _Node] = msgspec.field(default_factory=dict)
    patterns: list[tuple[re.Pattern[str], _Node]] = msgspec.field(default_factory=list)
    additional: _Node | None = None
    prefix: list[_Node] = msgspec.field(default_factory=list)
    items: _Node | None = None
    always: list[_Node] = msgspec.field(default_factory=list)
    conditional: list[tuple[Any, _Node | None, _Node | None]] = msgspec.field(default_factory=list)


class Plan:
    """A compiled schema. `reduce` combines an older and a newer document of one key."""

    def __init__(self, root: _Node) -> None:
        self._root = root

    def reduce(self, older: object, newer: object) -> object:
        """Return `newer` reduced into `older` (MISSING: there is none), or DELETED. Neither is changed.

        Returns `newer` itself where nothing in the schema asks for more than the last write. Raises ReductionError
        naming the location.
        """
        return _reduce([self._root], older, newer, ())


def plan_of(schema: object) -> Plan | None:
    """Return how documents of `schema` reduce, or None where the last write always wins.

    Raises ReductionError for an annotation that Flow does not know, naming its place in the schema.
    """
    if b'"reduce"' not in msgspec.json.encode(schema):
        return None
    return Plan(_compile(schema, schema, (), {}))


def _reduce(nodes: list[_Node], older: object, newer: object, at: tuple[str | int, ...]) -> object:
    applied = list(_applied(nodes, newer))
    strategy = next((node.strategy for node in applied if node.strategy), None)
    if strategy is None:
        return newer

    def child(name: str | int, before: object, after: object) -> object:
        below = [found for node in applied for found in _below(node, name)]
        return _reduce(below, before, after, (*at, name)) if below else after

    try:
        reduced = REDUCERS[strategy.strategy](strategy, older, newer, child)
    except ReductionError as error:
        raise ReductionError(f"{pointer.join(at) or '/'}: {error}") from None
    return DELETED if strategy.delete else reduced


def _applied(nodes: list[_Node], value: object) -> Iterator[_Node]:
    for node in nodes:
        yield node
        yield from _applied(node.always, value)
        for condition, then, otherwise in node.conditional:
            branch = then if condition.is_valid(value) else otherwise
            if branch is not None:
                yield from _applied([branch], value)


def _below(node: _Node, name: str | int) -> Iterator[_Node]:
    if isinstance(name, int):
        found = node.prefix[name] if name < len(node.prefix) else node.items
        return iter([found] if found else [])
    named = [node.properties[name]] if name in node.properties else []
    named += [found for pattern, found in node.patterns if pattern.search(name)]
    return iter(named or ([node.additional] if node.additional else []))


def _compile(schema: object, root: object, at: tuple[str | int, ...], seen: dict[str, _Node]) -> _Node:
    where = pointer.join(at)
    if where in seen:
        return seen[where]
    node = seen[where] = _Node()
    if not isinstance(schema, Mapping):
        return node
    if "reduce" in schema:
        node.strategy = _strategy(schema["reduce"], where)
    for name, value in (schema.get("properties") or {}).items():
        node.properties[name] = _compile(value, root, (*at, "properties", name), seen)
    for name, value in (schema.get("patternProperties") or {}).items():
        node.patterns.append((re.compile(name), _compile(value, root, (*at, "patternProperties", name), seen)))
    if "additionalProperties" in schema:
        node.additional = _compile(schema["additionalProperties"], root, (*at, "additionalProperties"), seen)
    _compile_items(node, schema, root, at, seen)
    _compile_branches(node, schema, root, at, seen)
    return node


def _compile_items(node: _Node, schema: Mapping[str, Any], root: object, at: Any, seen: dict[str, _Node]) -> None:  # noqa: ANN401 -- a pointer's tokens
    for index, value in enumerate(schema.get("prefixItems") or ()):
        node.prefix.append(_compile(value, root, (*at, "prefixItems", index), seen))
    if "items" in schema:
        node.items = _compile(schema["items"], root, (*at, "items"), seen)


def _compile_branches(node: _Node, schema: Mapping[str, Any], root: object, at: Any, seen: dict[str, _Node]) -> None:  # noqa: ANN401 -- same
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        tokens = pointer.parse(reference[1:])
        node.always.append(_compile(pointer.resolve(root, tokens), root, tokens, seen))
    for index, value in enumerate(schema.get("allOf") or ()):
        node.always.append(_compile(value, root, (*at, "allOf", index), seen))
    for keyword in ("anyOf", "oneOf"):
        for index, value in enumerate(schema.get(keyword) or ()):
            branch = _compile(value, root, (*at, keyword, index), seen)
            node.conditional.append((_condition(value, root), branch, None))
    if "if" in schema:
        then, otherwise = (
            _compile(schema[keyword], root, (*at, keyword), seen) if keyword in schema else None
            for keyword in ("then", "else")
        )
        node.conditional.append((_condition(schema["if"], root), then, otherwise))


def _condition(schema: Any, root: object) -> Any:  # noqa: ANN401 -- jsonschema_rs has one type a draft
    definitions = root.get("$defs") if isinstance(root, Mapping) else None
    whole = {**schema, "$defs": definitions} if definitions and isinstance(schema, Mapping) else schema
    return jsonschema_rs.validator_for(whole)


def _strategy(annotation: object, at: str) -> Strategy:
    try:
        strategy = msgspec.convert(annotation, Strategy)
    except msgspec.ValidationError as error:
        raise ReductionError(f"the schema's {at}/reduce is malformed: {error}") from None
    if strategy.strategy not in REDUCERS:
        known = ", ".join(REDUCERS)
        raise ReductionError(f"the schema's {at}/reduce has the strategy {strategy.strategy!r}; it is one of {known}")
    return strategy
