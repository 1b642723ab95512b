"""An example of a config, from its JSON Schema: what can be known of it, and where a person has to fill it in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from python.protocol import pointer

__all__ = ["FILL_IN", "Example", "example"]

FILL_IN = "FILL_IN"
"""What stands in an example where nobody but its user knows what to write."""

_DATES = {"date": "2024-01-01", "date-time": "2024-01-01T00:00:00Z"}
_CHOICES = ("oneOf", "anyOf")
_DEPTH_MAX = 12  # deeper than any form; a schema may refer to itself

Json = Any


class Example(NamedTuple):
    """A value that fits a schema but for its `gaps`: the JSON pointers of what is to be filled in."""

    value: Json
    gaps: tuple[str, ...] = ()


def example(schema: Mapping[str, Json]) -> Example:
    """Return an object that `schema` describes: the required properties, and the others that have a default.

    Values are those that the schema gives itself: const, default, enum, examples, in this order; secrets are gaps, and
    so is required text of which the schema gives none.

    >>> text = {"type": "string"}
    >>> example({"required": ["host"], "properties": {"host": text, "port": {"default": 80}, "note": text}})
    Example(value={'host': 'FILL_IN', 'port': 80}, gaps=('/host',))
    """
    return _object(_Schema(schema, schema), ())


class _Schema(NamedTuple):
    """A schema, and the whole one that its references are to."""

    value: Mapping[str, Json]
    whole: Mapping[str, Json]

    def below(self, value: Json) -> _Schema:
        """Return a part of this schema, with its reference resolved."""
        for _ in range(_DEPTH_MAX):
            reference = value.get("$ref") if isinstance(value, dict) else None
            if not isinstance(reference, str):
                break
            found = pointer.resolve(self.whole, pointer.parse(reference.removeprefix("#")))
            value = found if isinstance(found, dict) else {}
        return _Schema(value if isinstance(value, dict) else {}, self.whole)


def _of(schema: _Schema, at: tuple[str, ...]) -> Example:
    """Return an example of a required value at `at`."""
    told = next(_given(schema.value), None)
    if told is not None:
        return told
    kind = _type(schema.value)
    if kind == "object" or "properties" in schema.value:
        return _object(schema, at)
    choice = _choice(schema, at)
    if choice is not None:
        return choice
    return _array(schema, at) if kind == "array" else _scalar(schema.value, kind, at)


def _scalar(schema: Mapping[str, Json], kind: str | None, at: tuple[str, ...]) -> Example:
    if kind in ("integer", "number"):
        return Example(schema.get("minimum", 1))
    if kind == "boolean":
        return Example(value=False)
    if schema.get("format") in _DATES and not _secret(schema):
        return _dated(schema, at)
    return Example(FILL_IN, (pointer.join(at),))


def _given(schema: Mapping[str, Json]) -> Iterator[Example]:
    """Yield the values that a schema gives itself, the best one first; of a secret it gives none."""
    for name in ("const", "default"):
        if schema.get(name) is not None:
            yield Example(schema[name])
    if not _secret(schema):
        for name in ("enum", "examples"):
            values = schema.get(name)
            if isinstance(values, list) and values:
                yield Example(values[0])


def _object(schema: _Schema, at: tuple[str, ...]) -> Example:
    if len(at) > _DEPTH_MAX:
        return Example({})
    properties = schema.value.get("properties")
    required = schema.value.get("required") or ()
    value: dict[str, Json] = {}
    gaps: tuple[str, ...] = ()
    for name, declared in properties.items() if isinstance(properties, dict) else ():
        part = schema.below(declared)
        if name in required:
            value[name], more = _of(part, (*at, name))
            gaps += more
        elif part.value.get("default") is not None and not part.value.get("advanced"):
            value[name] = part.value["default"]
    choice = _choice(schema, at)
    return Example({**choice.value, **value}, choice.gaps + gaps) if choice else Example(value, gaps)


def _choice(schema: _Schema, at: tuple[str, ...]) -> Example | None:
    """Return the example of the choice that leaves the fewest gaps; None where the schema gives no choice."""
    for keyword in _CHOICES:
        choices = schema.value.get(keyword)
        if isinstance(choices, list) and choices and len(at) <= _DEPTH_MAX:
            parts = [schema.below(each) for each in choices]
            told = [_of(part, at) for part in parts if _type(part.value) != "null"]
            objects = [each for each in told if "properties" not in schema.value or isinstance(each.value, dict)]
            return min(objects, key=lambda each: len(each.gaps), default=None)
    return None


def _array(schema: _Schema, at: tuple[str, ...]) -> Example:
    if not schema.value.get("minItems") or len(at) > _DEPTH_MAX:
        return Example([])
    item, gaps = _of(schema.below(schema.value.get("items")), (*at, "0"))
    return Example([item], gaps)


def _dated(schema: Mapping[str, Json], at: tuple[str, ...]) -> Example:
    """Return a time in the form that the schema's pattern asks for, if it has one."""
    pattern = schema.get("pattern")
    for value in (_DATES[schema["format"]], *_DATES.values()):
        if not isinstance(pattern, str) or re.search(pattern, value):
            return Example(value)
    return Example(FILL_IN, (pointer.join(at),))


def _type(schema: Mapping[str, Json]) -> str | None:
    kinds = schema.get("type")
    names = [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else []
    return next((str(name) for name in names if name != "null"), "null" if names else None)


def _secret(schema: Mapping[str, Json]) -> bool:
    return bool(schema.get("secret") or schema.get("airbyte_secret"))
