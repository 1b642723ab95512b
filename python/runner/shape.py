"""What a JSON schema says of each location of a document: its types, whether it exists, and its annotations.

A shape is what can be known without a document (Flow protocol, sections 2.3 and 11.3). Where a schema is cleverer than
this reading of it, the shape claims less: more types, or a location that only may exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields

__all__ = ["ANYTHING", "NOTHING", "TYPES", "Annotations", "Property", "Shape", "intersection", "union"]

TYPES = frozenset({"null", "boolean", "object", "array", "integer", "fractional", "string"})
"""The types that are told apart: JSON Schema's `number` is `integer` and `fractional`."""


Values = tuple[object, ...] | None


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """What a schema notes about a location; None where it says nothing, or different things in different branches."""

    title: str | None = None
    description: str | None = None
    secret: bool | None = None
    format: str | None = None
    content_type: str | None = None
    content_encoding: str | None = None
    default: tuple[object] | None = None
    reduce: str | None = None


@dataclass(frozen=True)
class Property:
    """A named member of an object."""

    shape: Shape
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The shape of one location.

    `additional` is the shape of members without a name here, None where the schema says nothing of them; `items`
    likewise for the items of arrays. `bounds` holds the keywords `minimum`, `maximum`, `maxLength`, `minItems` and
    `maxItems` that the schema has. `enum` lists all values, where they are few and known.
    """

    types: frozenset[str] = TYPES
    annotations: Annotations = Annotations()
    bounds: Mapping[str, float] = field(default_factory=dict)
    enum: Values = None
    properties: Mapping[str, Property] = field(default_factory=dict)
    additional: Shape | None = None
    items: Shape | None = None

    def member(self, name: str) -> tuple[Shape, str]:
        """Return the shape of the member `name`, and whether it exists: MUST, MAY, IMPLICIT or CANNOT."""
        if "object" not in self.types:
            return NOTHING, "CANNOT"
        known = self.properties.get(name)
        if known is not None:
            must = known.required and self.types == {"object"}
            return known.shape, "MUST" if must else "MAY"
        if self.additional is None:
            return ANYTHING, "IMPLICIT"
        return self.additional, "MAY"


ANYTHING = Shape()
NOTHING = Shape(types=frozenset())


def intersection(left: Shape, right: Shape) -> Shape:
    """Return the shape of what is both `left` and `right`, as `allOf` has it."""
    if ANYTHING in (left, right):
        return right if left == ANYTHING else left
    names = [*left.properties, *(name for name in right.properties if name not in left.properties)]
    properties = {
        name: Property(
            intersection(_imputed(left, name), _imputed(right, name)),
            any(side.properties[name].required for side in (left, right) if name in side.properties),
        )
        for name in names
    }
    return Shape(
        types=left.types & right.types,
        annotations=_merged(left.annotations, right.annotations, _first),
        bounds=_narrowed(left, right),
        enum=_common(left.enum, right.enum),
        properties=properties,
        additional=_both(left.additional, right.additional),
        items=_both(left.items, right.items),
    )


def union(left: Shape, right: Shape) -> Shape:
    """Return the shape of what is `left` or `right`, as `anyOf` has it: what both promise."""
    if not left.types or not right.types:
        return left if left.types else right
    objects = _only("object", left, right)
    arrays = _only("array", left, right)
    return Shape(
        types=left.types | right.types,
        annotations=_merged(left.annotations, right.annotations, _agreed),
        bounds=_widened(left, right),
        enum=None if left.enum is None or right.enum is None else _distinct((*left.enum, *right.enum)),
        properties=objects.properties if objects else _union_of_properties(left, right),
        additional=objects.additional if objects else _either(left.additional, right.additional),
        items=arrays.items if arrays else _either(left.items, right.items),
    )


def _imputed(shape: Shape, name: str) -> Shape:
    known = shape.properties.get(name)
    return known.shape if known else shape.additional or ANYTHING


def _union_of_properties(left: Shape, right: Shape) -> dict[str, Property]:
    """Return the members that both sides say something of: of others, one side allows anything at all."""
    merged: dict[str, Property] = {}
    for name in [*left.properties, *(name for name in right.properties if name not in left.properties)]:
        mine, other = left.properties.get(name), right.properties.get(name)
        if (mine or left.additional) and (other or right.additional):
            required = bool(mine and mine.required and other and other.required)
            merged[name] = Property(union(_imputed(left, name), _imputed(right, name)), required)
    return merged


def _only(kind: str, left: Shape, right: Shape) -> Shape | None:
    """Return the side that alone has values of type `kind`, or None."""
    if (kind in left.types) == (kind in right.types):
        return None
    return left if kind in left.types else right


_NUMBERS = frozenset({"integer", "fractional"})
_STRINGS = frozenset({"string"})
_ARRAYS = frozenset({"array"})
_Pick = Callable[[Iterable[float]], float]
_BOUNDS: tuple[tuple[str, frozenset[str], _Pick, _Pick], ...] = (
    ("minimum", _NUMBERS, max, min),
    ("maximum", _NUMBERS, min, max),
    ("maxLength", _STRINGS, min, max),
    ("minItems", _ARRAYS, max, min),
    ("maxItems", _ARRAYS, min, max),
)
"""Each bound by its keyword: the types it limits, which of two is the narrower, and which the wider."""


def _narrowed(left: Shape, right: Shape) -> dict[str, float]:
    narrowed = {}
    for name, _, narrower, _ in _BOUNDS:
        given = [side.bounds[name] for side in (left, right) if name in side.bounds]
        if given:
            narrowed[name] = narrower(given)
    return narrowed


def _widened(left: Shape, right: Shape) -> dict[str, float]:
    """Return the bounds of a union: the wider, where every side that has such values has a bound."""
    widened = {}
    for name, types, _, wider in _BOUNDS:
        sides = [side for side in (left, right) if side.types & types]
        if sides and all(name in side.bounds for side in sides):
            widened[name] = wider(side.bounds[name] for side in sides)
    return widened


def _merged(left: Annotations, right: Annotations, pick: Callable[[object, object], object]) -> Annotations:
    members = {item.name: pick(getattr(left, item.name), getattr(right, item.name)) for item in fields(Annotations)}
    return Annotations(**members)  # type: ignore[arg-type] # each is one of the two, which have the right type


def _first(left: object, right: object) -> object:
    return right if left is None else left


def _agreed(left: object, right: object) -> object:
    return left if left == right else None


def _both(left: Shape | None, right: Shape | None) -> Shape | None:
    return intersection(left, right) if left and right else left or right


def _either(left: Shape | None, right: Shape | None) -> Shape | None:
    return union(left, right) if left and right else None


def _common(left: Values, right: Values) -> Values:
    if left is None or right is None:
        return right if left is None else left
    return tuple(value for value in left if _among(value, right))


def _distinct(values: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(value for index, value in enumerate(values) if not _among(value, values[:index]))


def _among(value: object, values: tuple[object, ...]) -> bool:
    """Whether one of `values` is `value`: JSON's true is not its 1."""
    return any(isinstance(value, bool) == isinstance(item, bool) and item == value for item in values)
