"""JSON schemas of upstream connectors, repaired into schemas that Flow accepts for documents.

What is repaired, and why, is a list of rules below. Each repair is logged at debug with the place it was made at.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from python.protocol import pointer
from python.shim_common.values import Json, items, mapping

__all__ = ["keyed", "repaired", "types_of"]

_logger = logging.getLogger(__name__)

_TYPES = ("null", "boolean", "object", "array", "number", "integer", "string")
_KEPT = frozenset(
    """
    type properties required patternProperties propertyNames minProperties maxProperties items prefixItems contains
    minContains maxContains minItems maxItems uniqueItems const minimum maximum exclusiveMinimum exclusiveMaximum
    multipleOf minLength maxLength pattern format contentEncoding contentMediaType allOf anyOf oneOf not if then else
    dependentRequired dependentSchemas additionalProperties $ref $defs definitions title description default examples
    deprecated readOnly writeOnly
    """.split()  # noqa: SIM905 -- a column of single words would be a page long
)
_FORMATS = frozenset(
    """
    date date-time time duration email hostname ipv4 ipv6 macaddr macaddr8 uuid uri uri-reference json-pointer integer
    number sha256
    """.split()  # noqa: SIM905 -- a column of single words would be a page long
)
_SCHEMA_MEMBERS = ("additionalProperties", "propertyNames", "items", "contains", "not", "if", "then", "else")
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SCHEMA_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_BRANCHES = ("anyOf", "oneOf", "allOf")
_SCALARS = ("integer", "string", "boolean", "number")
_KEY_TYPES = ("string", "integer", "boolean")  # what Flow takes as keys
_DEPTH_MAX = 8  # of combinations within combinations, which references may make endless
_LOCAL_TIME = "time_without_timezone"
_NUMERIC_FORMATS = {"int32": "integer", "int64": "integer", "float": "number", "double": "number", "decimal": "number"}

_At = tuple[str, ...]


def repaired(schema: object, stream: str) -> Json:
    """Return `schema` as an object schema that Flow accepts; nothing of `schema` is changed. `stream` is for the log.

    Afterwards it has no keyword that Flow might refuse, no format it does not know, no leftover of older drafts, no
    enumeration (sources add values without notice) and no closed object (they add properties, too).
    """
    found = _repair(schema, (), stream)
    root: Json = found if isinstance(found, dict) else {}
    if root.get("type") != "object":
        _log(stream, (), "the root is an object")
    return {**root, "type": "object", "properties": mapping(root.get("properties"))}


def keyed(schema: Json, key: Sequence[Sequence[str]], stream: str) -> Json:
    """Return `schema` with the locations of `key` (paths of property names) required, and of scalar types.

    Flow takes integers, strings and booleans as keys. A location has the first that the schema names, in a branch of
    `anyOf` and the like as well, and never null. Where the schema names none, a format means a string, and else any of
    the three may come, which is warned of.
    """
    for path in key:
        schema = _with_key(schema, schema, tuple(path), (tuple(path), stream))
    return schema


def types_of(schema: object) -> tuple[str, ...]:
    """Return the JSON types that `schema` names directly; empty where it does not say."""
    if not isinstance(schema, dict):
        return ()
    named = schema.get("type")
    found = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    return tuple(kind for kind in found if kind in _TYPES)


def _repair(schema: object, at: _At, stream: str) -> object:
    if isinstance(schema, bool):
        return {} if at and at[-1] == "additionalProperties" else schema
    if not isinstance(schema, dict):
        _log(stream, at, f"a schema is an object, got {type(schema).__name__}: anything is allowed here")
        return {}
    fixed = dict(schema)
    for repair in _REPAIRS:
        for what in repair(fixed):
            _log(stream, at, what)
    for name in [name for name in fixed if name not in _KEPT]:
        _log(stream, at, f"dropped the keyword {name}")
        del fixed[name]
    return {name: _repair_member(name, value, (*at, name), stream) for name, value in fixed.items()}


def _repair_member(name: str, value: object, at: _At, stream: str) -> object:
    if name in _SCHEMA_MEMBERS:
        return _repair(value, at, stream)
    if name in _SCHEMA_LISTS and isinstance(value, list):
        return [_repair(item, (*at, str(index)), stream) for index, item in enumerate(value)]
    if name in _SCHEMA_MAPS and isinstance(value, dict):
        return {key: _repair(item, (*at, key), stream) for key, item in value.items()}
    return value


def _repair_types(schema: Json) -> Iterator[str]:
    if "type" not in schema:
        return
    named, kinds = schema["type"], types_of(schema)
    wanted = named if isinstance(named, list) else [named]
    if len(set(kinds)) != len(wanted):
        yield f"dropped from the types {named!r} those that JSON Schema does not have"
    if kinds:
        schema["type"] = kinds[0] if len(set(kinds)) == 1 else list(dict.fromkeys(kinds))
    else:
        del schema["type"]


def _repair_enum(schema: Json) -> Iterator[str]:
    values = schema.pop("enum", None)
    if values is None:
        return
    yield "dropped the enumeration: sources add values without notice"
    if "type" not in schema and isinstance(values, list) and values:
        kinds = sorted({_type_of(value) for value in values})
        schema["type"] = kinds[0] if len(kinds) == 1 else kinds


def _repair_format(schema: Json) -> Iterator[str]:
    if "format" not in schema:
        return
    named = str(schema["format"])
    kinds = set(types_of(schema)) - {"null"}
    numeric = _NUMERIC_FORMATS.get(named)
    if schema.get("airbyte_type") == _LOCAL_TIME:
        del schema["format"]
        yield f"dropped the format {named}: these times have no offset, which RFC 3339 requires"
    elif numeric and kinds <= {"string"}:
        schema.update({"format": numeric} if kinds else {"type": numeric})
        if not kinds:
            del schema["format"]
        yield f"the format {named} is {numeric}"
    elif named not in _FORMATS or "string" not in (kinds or {"string"}):
        del schema["format"]
        yield f"dropped the format {named!r}, which Flow does not know for {sorted(kinds) or 'anything'}"


def _repair_bounds(schema: Json) -> Iterator[str]:
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        flag = schema.get(exclusive)
        if isinstance(flag, bool):
            del schema[exclusive]
            if flag and bound in schema:
                schema[exclusive] = schema.pop(bound)
            yield f"{exclusive} is a number since draft 6"
    if "divisibleBy" in schema:
        schema["multipleOf"] = schema.pop("divisibleBy")
        yield "divisibleBy is multipleOf since draft 4"
    if not isinstance(schema.get("multipleOf", 1), int):
        yield f"dropped multipleOf {schema.pop('multipleOf')}: computed with floats, it refuses decimals that fit"


def _repair_objects(schema: Json) -> Iterator[str]:
    properties = schema.get("properties")
    if "properties" in schema and not isinstance(properties, dict):
        del schema["properties"]
        yield "dropped properties that are not an object"
    if "required" in schema and not _is_names(schema["required"]):
        del schema["required"]
        yield "dropped a required that is not a list of names, a leftover of draft 3"
    if schema.get("additionalProperties") is False:
        del schema["additionalProperties"]
        yield "opened the object: sources add properties without notice"
    for name, value in mapping(schema.pop("dependencies", None)).items():
        modern = "dependentRequired" if _is_names(value) else "dependentSchemas"
        schema[modern] = {**mapping(schema.get(modern)), name: value}
        yield f"dependencies is {modern} since draft 2019-09"


def _repair_items(schema: Json) -> Iterator[str]:
    if isinstance(schema.get("items"), list):
        schema["prefixItems"] = schema.pop("items")
        if "additionalItems" in schema:
            schema["items"] = schema.pop("additionalItems")
        yield "a list of items is prefixItems since draft 2020-12"


def _repair_references(schema: Json) -> Iterator[str]:
    target = schema.get("$ref")
    if target is not None and not (isinstance(target, str) and target.startswith("#")):
        del schema["$ref"]
        yield f"dropped a reference out of the schema: {target!r}"


def _repair_pattern(schema: Json) -> Iterator[str]:
    try:
        re.compile(str(schema.get("pattern", "")))
    except re.error as error:
        yield f"dropped the pattern {schema.pop('pattern')!r}: {error}"


_REPAIRS: tuple[Callable[[Json], Iterator[str]], ...] = (
    _repair_types,
    _repair_format,
    _repair_enum,
    _repair_bounds,
    _repair_objects,
    _repair_items,
    _repair_references,
    _repair_pattern,
)


def _with_key(root: Json, schema: Json, path: _At, context: tuple[_At, str]) -> Json:
    """Return `schema` with the key location at `path` below it repaired; `context` is the whole path and the stream."""
    schema = _resolved(root, schema)
    if not path:
        return _key_leaf(root, schema, context)
    name, *rest = path
    properties = mapping(schema.get("properties"))
    declared = (mapping(part.get("properties")).get(name) for part in _parts(root, schema))
    child = next((found for found in declared if found is not None), None)
    properties = {**properties, name: _with_key(root, child if isinstance(child, dict) else {}, tuple(rest), context)}
    required = schema.get("required")
    names = list(required) if isinstance(required, list) else []
    if name not in names:
        _log(context[1], context[0], f"the key requires {name}")
        names.append(name)
    return {**schema, "type": "object", "properties": properties, "required": names}


def _key_leaf(root: Json, schema: Json, context: tuple[_At, str]) -> Json:
    path, stream = context
    parts = [part for part in _parts(root, schema) if _scalars(part)]
    scalars = [kind for part in parts for kind in _scalars(part)]
    chosen = _key_type(scalars[0]) if scalars else _untyped_key(schema, context)
    if schema.get("type") != chosen:
        _log(stream, path, f"a key is of scalar types that Flow takes: {chosen}, of {scalars}")
    only = parts[0] if len(parts) == 1 else {}  # of several, one's format or bounds need not hold for the others
    kept = {name: value for name, value in {**only, **schema}.items() if name not in (*_BRANCHES, "const", "$ref")}
    return {**kept, "type": chosen}


def _key_type(scalar: str) -> str:
    """Return the type of a key: Flow has none of fractions, and identifiers typed so are integers in practice."""
    return "integer" if scalar == "number" else scalar


def _untyped_key(schema: Json, context: tuple[_At, str]) -> str | list[str]:
    """Return the types of a key of which `schema` names none: one that is too narrow would stop the capture."""
    path, stream = context
    if "format" in schema and not types_of(schema):
        return "string"
    sentence = "stream %s: the schema says nothing usable of the key %s; taking a string, an integer or a boolean"
    _logger.warning(sentence, stream, pointer.join(path))
    return list(_KEY_TYPES)


def _parts(root: Json, schema: Json, depth: int = 0) -> Iterator[Json]:
    """Yield `schema` and the schemas that it is combined of, references followed: those nearest to it first."""
    schema = _resolved(root, schema)
    yield schema
    branches = [branch for name in _BRANCHES for branch in items(schema.get(name))]
    for branch in branches if depth < _DEPTH_MAX else ():
        yield from _parts(root, mapping(branch), depth + 1)


def _scalars(schema: Json) -> list[str]:
    return [kind for kind in types_of(schema) if kind in _SCALARS]


def _resolved(root: Json, schema: Json) -> Json:
    """Return `schema`, or what its local `$ref` points at, with the members beside the reference kept."""
    target = schema.get("$ref")
    if not isinstance(target, str):
        return schema
    found = pointer.resolve(root, pointer.parse(target[1:]))
    beside = {name: value for name, value in schema.items() if name != "$ref"}
    return {**(found if isinstance(found, dict) else {}), **beside}


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _type_of(value: object) -> str:
    kinds: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return "null" if value is None else kinds.get(type(value), "object")


def _log(stream: str, at: _At, what: str) -> None:
    _logger.debug("stream %s: schema %s: %s", stream, pointer.join(at) or "/", what)
