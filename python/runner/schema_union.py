"""The union of two JSON schemas: what either admits, the union admits (Flow protocol, section 11.2).

Schemas here are those that connectors and inference write: types with their bounds, properties, items, enumerations.
A keyword that says more (`allOf`, `$ref`, `pattern` that differ…) is dropped: a union may be wider than the two
together, never narrower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

__all__ = ["union"]

_Schema: TypeAlias = "Mapping[str, Any]"
_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_NOTHING: _Schema = {"not": {}}

_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"),
    "array": ("minItems", "maxItems", "uniqueItems", "items", "prefixItems"),
    "object": ("minProperties", "maxProperties", "required", "properties", "additionalProperties"),
}
"""Keywords by the type that they constrain: where only one schema admits that type, its keywords stand as they are."""

_LOOSER: Mapping[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), min),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), max),
}
_NOTES = ("$schema", "title", "description", "default", "reduce")
"""Keywords that admit or refuse nothing; they stay where both schemas agree."""


def union(one: object, other: object) -> dict[str, object]:
    """Return a schema that admits every value which `one` or `other` admits. Neither is changed.

    >>> union({"type": "string", "maxLength": 5}, {"type": "string", "maxLength": 9})
    {'type': 'string', 'maxLength': 9}
    """
    left, right = _plain(one), _plain(other)
    if left == right:
        return dict(left)
    if not _types(left):
        return dict(right)
    if not _types(right):
        return dict(left)
    types = _types(left) | _types(right)
    united: dict[str, object] = {} if types == frozenset(_TYPES) else {"type": _written(types)}
    for family in _FAMILIES:
        united.update(_of_family(family, left, right))
    united.update(_enumerated(left, right))
    return united | {name: left[name] for name in _NOTES if name in left and right.get(name) == left[name]}


def _plain(schema: object) -> _Schema:
    if isinstance(schema, bool):
        return {} if schema else _NOTHING
    return schema if isinstance(schema, Mapping) else {}


def _types(schema: _Schema) -> frozenset[str]:
    """The types that a schema may admit; integers are numbers, so `number` brings `integer` along."""
    if schema.get("not") == {}:
        return frozenset()
    named = schema.get("type", _TYPES)
    types = frozenset([named] if isinstance(named, str) else named)
    return types | {"integer"} if "number" in types else types


def _written(types: frozenset[str]) -> str | list[str]:
    names = [name for name in _TYPES if name in types and not (name == "integer" and "number" in types)]
    return names[0] if len(names) == 1 else names


def _of_family(family: str, left: _Schema, right: _Schema) -> dict[str, object]:
    admitting = [
        schema for schema in (left, right) if _types(schema) & {family, "integer" if family == "number" else family}
    ]
    if len(admitting) == 1:
        return {name: admitting[0][name] for name in _FAMILIES[family] if name in admitting[0]}
    if not admitting:
        return {}
    both = {
        name: _looser(name, left[name], right[name]) for name in _FAMILIES[family] if name in left and name in right
    }
    if family == "object":
        both.update(_properties(left, right))
    return {name: value for name, value in both.items() if value is not None}


def _looser(name: str, left: Any, right: Any) -> object:  # noqa: ANN401 -- a keyword's value is any JSON
    if name in _LOOSER:
        return _LOOSER[name](left, right)
    if name in ("items", "additionalProperties"):
        return union(left, right) or None if left != right else left
    return left if left == right else None


def _properties(left: _Schema, right: _Schema) -> dict[str, object | None]:
    names = [
        *left.get("properties", {}),
        *(n for n in right.get("properties", {}) if n not in left.get("properties", {})),
    ]
    required = [name for name in left.get("required", ()) if name in right.get("required", ())]
    additional = union(_additional(left), _additional(right))
    return {
        "properties": {name: union(_property(left, name), _property(right, name)) for name in names} or None,
        "required": required or None,
        "additionalProperties": None if not additional else additional if _types(additional) else False,
    }


def _property(schema: _Schema, name: str) -> object:
    return schema.get("properties", {}).get(name, _additional(schema))


def _additional(schema: _Schema) -> object:
    """What a schema admits at a property that it does not name."""
    return True if "patternProperties" in schema else schema.get("additionalProperties", True)


def _enumerated(left: _Schema, right: _Schema) -> dict[str, object]:
    values = [[schema["const"]] if "const" in schema else schema.get("enum") for schema in (left, right)]
    if values[0] is None or values[1] is None:
        return {}
    return {"enum": values[0] + [value for value in values[1] if value not in values[0]]}
