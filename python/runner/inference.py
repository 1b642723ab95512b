"""Reads the shape of documents out of a JSON schema (Flow protocol, sections 2.3 and 11)."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import msgspec

from python.protocol import pointer
from python.runner.schemas import Path, Schema, SchemaIndex, modernized
from python.runner.shape import ANYTHING, NOTHING, TYPES, Annotations, Property, Shape, intersection, union

__all__ = ["Location", "infer", "locate", "locations"]

_DEPTHS = (32, 8, 4, 2, 1)
"""How deep below the document's root a schema is read: less deep, where it is large beyond `_PARTS_MAX`."""
_PARTS_MAX = 20_000  # a schema with thousands of columns is read whole, one that unfolds without end in a few seconds


@dataclass(frozen=True, kw_only=True)
class Location:
    """A place in documents: its JSON pointer `ptr`, its shape, and whether it exists: MUST, MAY, IMPLICIT, CANNOT."""

    ptr: str
    shape: Shape
    exists: str


def infer(schema: Schema) -> Shape:
    """Return the shape of the documents of a bundled `schema`. Raises SchemaError for a reference to nothing.

    A schema that refers to itself is anything from there on, as is what lies deeper than is read.
    """
    if isinstance(schema, bool):
        return ANYTHING if schema else NOTHING
    modern = msgspec.convert(modernized(schema), dict[str, object])
    for depth in _DEPTHS[:-1]:
        reader = _Reader(modern, depth)
        shape = reader.shape(modern, _Step())
        if reader.parts < _PARTS_MAX:
            return shape
    return _Reader(modern, _DEPTHS[-1]).shape(modern, _Step())


def locations(shape: Shape) -> Iterator[Location]:
    """Yield every location that a schema names, the root first: members by name, not the items of arrays."""
    yield from _below(Location(ptr="", shape=shape, exists="MUST"), ())


def locate(shape: Shape, ptr: str) -> Location:
    """Return the location at the JSON pointer `ptr`, whether or not the schema names it."""
    exists = "MUST"
    for token in pointer.parse(ptr):
        found = shape.items if shape.types == {"array"} else None
        child, child_exists = (found, "MAY") if found and token.isdecimal() else shape.member(token)
        shape, exists = child, max(exists, child_exists, key=_STRENGTH.index)
    return Location(ptr=ptr, shape=shape, exists=exists if shape.types else "CANNOT")


_STRENGTH = ("MUST", "MAY", "IMPLICIT", "CANNOT")
"""From the strongest promise to the weakest: a path is as weak as its weakest step."""


def _below(location: Location, tokens: tuple[str, ...]) -> Iterator[Location]:
    exists = location.exists if location.shape.types else "CANNOT"
    yield replace(location, exists=exists)
    for name, member in location.shape.properties.items():
        must = member.required and location.shape.types == {"object"}
        step = max(exists, "MUST" if must else "MAY", key=_STRENGTH.index)
        child = (*tokens, name)
        yield from _below(Location(ptr=pointer.join(child), shape=member.shape, exists=step), child)


class _Reader:
    """One reading of a schema, down to `depth` levels of the document; `parts` counts the subschemas read."""

    def __init__(self, root: Mapping[str, object], depth: int) -> None:
        self._index = SchemaIndex(root)
        self._depth = depth
        self.parts = 0

    def shape(self, part: object, step: _Step) -> Shape:
        """Return the shape of the subschema `part`, found at `step`."""
        self.parts += 1
        if self.parts > _PARTS_MAX or not isinstance(part, Mapping):
            return NOTHING if part is False else ANYTHING
        shape = self._own(part, step)
        for narrower in self._composed(part, step):
            shape = intersection(shape, narrower)
        return shape

    def _own(self, part: Mapping[str, object], step: _Step) -> Shape:
        values = _values(part)
        types = _declared(part)
        shape = Shape(
            types=types if values is None else types & frozenset(map(_type_of, values)),
            annotations=_annotations(part),
            bounds={name: bound for name in _BOUND_KEYWORDS if isinstance(bound := part.get(name), (int, float))},
            enum=values,
        )
        return shape if step.depth >= self._depth else self._with_children(shape, part, step)

    def _with_children(self, shape: Shape, part: Mapping[str, object], step: _Step) -> Shape:
        additional = self._member(part, "additionalProperties", step)
        patterns = self._members(part, "patternProperties", step)
        if additional is not None:
            for pattern in patterns.values():
                additional = union(additional, pattern)
        named = self._members(part, "properties", step)
        required = part.get("required")
        must = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
        names = dict.fromkeys([*named, *must])
        rest = ANYTHING if additional is None else additional
        items = self._member(part, "items", step)
        for index, first in enumerate(_list(part, "prefixItems")):
            items = union(ANYTHING if items is None else items, self.shape(first, step.into("prefixItems", index)))
        return replace(
            shape,
            properties={name: Property(named.get(name, rest), name in must) for name in names},
            additional=additional,
            items=items,
        )

    def _composed(self, part: Mapping[str, object], step: _Step) -> Iterator[Shape]:
        """Yield the shapes that the keywords of composition add to a schema's own."""
        if isinstance(part.get("$ref"), str):
            yield self._referred(str(part["$ref"]), step)
        for index, branch in enumerate(_list(part, "allOf")):
            yield self.shape(branch, step.beside("allOf", index))
        for keyword in ("anyOf", "oneOf"):
            branches = [
                self.shape(branch, step.beside(keyword, index)) for index, branch in enumerate(_list(part, keyword))
            ]
            if branches:
                yield functools.reduce(union, branches)
        if {"if", "then", "else"} <= part.keys():
            yield union(self.shape(part["then"], step.beside("then")), self.shape(part["else"], step.beside("else")))

    def _referred(self, reference: str, step: _Step) -> Shape:
        target = self._index.follow(step.at, reference)
        if target in step.active:
            return ANYTHING
        return self.shape(self._index.part(target), replace(step, at=target, active=step.active | {target}))

    def _member(self, part: Mapping[str, object], keyword: str, step: _Step) -> Shape | None:
        return self.shape(part[keyword], step.into(keyword)) if keyword in part else None

    def _members(self, part: Mapping[str, object], keyword: str, step: _Step) -> dict[str, Shape]:
        members = part.get(keyword)
        if not isinstance(members, Mapping):
            return {}
        return {name: self.shape(member, step.into(keyword, name)) for name, member in members.items()}


@dataclass(frozen=True)
class _Step:
    """Where a reader is: `at` in the schema, `depth` in the document, and the references it is inside of."""

    at: Path = ()
    depth: int = 0
    active: frozenset[Path] = frozenset({()})

    def beside(self, *tokens: str | int) -> _Step:
        """Return the step to a subschema that speaks of the same location."""
        return _Step(_joined(self.at, tokens), self.depth, self.active)

    def into(self, *tokens: str | int) -> _Step:
        """Return the step to a subschema that speaks of a location one level below."""
        return _Step(_joined(self.at, tokens), self.depth + 1, self.active)


def _joined(at: Path, tokens: tuple[str | int, ...]) -> Path:
    return (*at, *map(str, tokens))


_BOUND_KEYWORDS = ("minimum", "maximum", "maxLength", "minItems", "maxItems")
_TYPE_NAMES = {**{name: frozenset({name}) for name in TYPES}, "number": frozenset({"integer", "fractional"})}


def _declared(part: Mapping[str, object]) -> frozenset[str]:
    declared = part.get("type")
    names = [declared] if isinstance(declared, str) else declared
    if not isinstance(names, list):
        return TYPES
    return frozenset().union(*(_TYPE_NAMES.get(str(name), frozenset()) for name in names))


def _values(part: Mapping[str, object]) -> tuple[object, ...] | None:
    if "const" in part:
        return (part["const"],)
    return tuple(_list(part, "enum")) if isinstance(part.get("enum"), list) else None


def _list(part: Mapping[str, object], keyword: str) -> list[object]:
    value = part.get(keyword)
    return value if isinstance(value, list) else []


def _type_of(value: object) -> str:
    """Return the type of a JSON value; a number without a fraction is an integer, however it is written."""
    if isinstance(value, (float, Decimal)):
        return "integer" if value == value // 1 else "fractional"
    kinds = {type(None): "null", bool: "boolean", int: "integer", str: "string", list: "array"}
    return kinds.get(type(value), "object")


def _annotations(part: Mapping[str, object]) -> Annotations:
    reduce = part.get("reduce")
    secret = part.get("secret", part.get("airbyte_secret"))
    return Annotations(
        title=_text(part, "title"),
        description=_text(part, "description"),
        secret=secret if isinstance(secret, bool) else None,
        format=_text(part, "format"),
        content_type=_text(part, "contentMediaType"),
        content_encoding=_text(part, "contentEncoding"),
        default=(part["default"],) if "default" in part else None,
        reduce=_text(reduce, "strategy") if isinstance(reduce, Mapping) else None,
    )


def _text(part: Mapping[str, object], keyword: str) -> str | None:
    value = part.get(keyword)
    return value if isinstance(value, str) else None
