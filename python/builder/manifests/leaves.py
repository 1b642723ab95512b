"""What the component schema says of single values: types, enumerations, and what a JSON Schema library checks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

import jsonschema_rs

from python.builder.manifests.findings import did_you_mean, shown
from python.builder.manifests.references import Node

__all__ = ["Problem", "described", "fits", "leaf_problem", "type_of"]

_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "integer": (int,),
    "null": (type(None),),
}
_NAMES: Mapping[type, str] = {
    dict: "an object",
    list: "a list",
    str: "the text",
    bool: "the boolean",
    int: "the integer",
    float: "the number",
    type(None): "nothing",
    dt.date: "a date",
    dt.datetime: "a time",
}
_WANTED = {"object": "an object", "array": "a list", "string": "text", "null": "null", "integer": "an integer"}
_CONSTRAINTS = frozenset(
    {"minItems", "maxItems", "uniqueItems", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
) | {"minLength", "maxLength", "pattern", "const", "multipleOf", "minProperties", "maxProperties", "not", "allOf"}


class Problem(NamedTuple):
    """What is wrong with one value: the end of a sentence, what came and what is wanted."""

    rule: str
    sentence: str
    got: Any
    want: tuple[str, ...] = ()


def type_of(value: object) -> str:
    """Return what a value is, for a sentence."""
    return _NAMES.get(type(value), type(value).__name__)


def described(schema: Mapping[str, Any]) -> str:
    """Return what a schema that is no component wants, for a sentence."""
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    types = schema.get("type", "anything")
    return " or ".join(_WANTED.get(each, f"a {each}") for each in ([types] if isinstance(types, str) else types))


def fits(value: object, schema: Mapping[str, Any]) -> bool:
    """Whether the type of `value`, of which only that matters, is one that the schema allows."""
    types = schema.get("type")
    if types is None:
        return "enum" not in schema or not isinstance(value, dict | list)
    return any(_is_a(value, each) for each in ([types] if isinstance(types, str) else types))


def _is_a(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _PYTHON_TYPES[name])


def leaf_problem(node: Node, schema: Mapping[str, Any]) -> Problem | None:
    """Return what is wrong with the value itself, apart from what it holds."""
    if "enum" in schema and node.members is None and node.items is None and node.value not in schema["enum"]:
        want = tuple(map(str, schema["enum"]))
        return Problem("enum", f"got {shown(node.value)}{did_you_mean(node.value, want)}", node.value, want)
    bounds = {name: schema[name] for name in _CONSTRAINTS & schema.keys()}
    if not bounds:
        return None
    value = node.plain()
    error = next(jsonschema_rs.Draft7Validator(bounds).iter_errors(value), None)
    return Problem("value", f"got {shown(value)}: {error.message}", value) if error else None
