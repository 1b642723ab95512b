"""JSON schemas as the runner uses them: one dialect (2020-12), references resolved, validators compiled.

Flow reads every schema as draft 2020-12 whatever it calls itself, ignores unknown keywords and asserts formats
(Flow protocol, section 11). Nothing here reaches the network: a schema comes bundled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias
from urllib.parse import quote, unquote, urldefrag, urljoin

import jsonschema_rs

from python.protocol import pointer
from python.protocol.errors import HeadwaterError

__all__ = ["Path", "Schema", "SchemaError", "SchemaIndex", "compile_part", "compile_schema", "modernized"]

Schema: TypeAlias = "Mapping[str, object] | bool"
"""A JSON schema as plain Python values; `True` admits everything and `False` nothing."""

Path = tuple[str, ...]
"""The unescaped tokens of a JSON pointer into a schema."""

_ROOT_URI = "headwater:root"
_VALUES = frozenset({"const", "default", "enum", "example", "examples"})
"""Keywords that hold values: what looks like a schema inside them is none."""


class SchemaError(HeadwaterError):
    """A schema cannot be used. Whoever wrote it must act; `at` is the JSON pointer into it."""

    def __init__(self, *, at: str, problem: str) -> None:
        super().__init__(f"schema {at or '/'}: {problem}")
        self.at = at
        self.problem = problem


def modernized(schema: object) -> object:
    """Return `schema` with leftovers of older drafts in their 2020-12 form; nothing else changes.

    `items` as a list becomes `prefixItems`, its `additionalItems` becomes `items`, and `$schema` goes.
    """
    if isinstance(schema, list):
        return [modernized(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    new = {name: part if name in _VALUES else modernized(part) for name, part in schema.items()}
    if isinstance(new.get("$schema"), str):
        del new["$schema"]
    if isinstance(new.get("items"), list):
        new["prefixItems"] = new.pop("items")
        if "additionalItems" in new:
            new["items"] = new.pop("additionalItems")
    return new


def compile_schema(schema: Schema) -> jsonschema_rs.Validator:
    """Return a validator of `schema`. Raises SchemaError where it is no valid schema or refers outside itself."""
    try:
        return jsonschema_rs.Draft202012Validator(
            schema,  # type: ignore[arg-type] # any mapping of plain values is a dict by now
            validate_formats=True,
            formats=_FORMATS,
            offline=True,
        )
    except jsonschema_rs.ValidationError as error:
        raise SchemaError(at=pointer.join(error.instance_path), problem=error.message.splitlines()[0]) from None


def compile_part(root: Mapping[str, object], at: Path) -> jsonschema_rs.Validator:
    """Return a validator of the subschema of `root` at `at`, whose references go on resolving within `root`."""
    base = root.get("$id", _ROOT_URI)
    fragment = quote(pointer.join(at))
    return compile_schema({"$ref": f"{base}#{fragment}", "$defs": {"root": {**root, "$id": base}}})


_INTEGER_TEXT = re.compile(r"[-+]?[0-9]+")
_NUMBER_TEXT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|NaN|-?Infinity")
_FORMATS = {
    "integer": lambda text: _INTEGER_TEXT.fullmatch(text) is not None,
    "number": lambda text: _NUMBER_TEXT.fullmatch(text) is not None,
}
"""Flow's own formats of strings that hold numbers, beside those of JSON Schema."""


class SchemaIndex:
    """Where each `$ref` of one schema leads."""

    def __init__(self, root: Mapping[str, object]) -> None:
        self._root = root
        self._places: dict[str, Path] = {_ROOT_URI: ()}
        self._bases: dict[Path, str] = {}
        for at, part, base in _subschemas(root, (), _ROOT_URI):
            self._bases[at] = base
            if isinstance(part.get("$id"), str):
                self._places.setdefault(base, at)
            for name in ("$anchor", "$dynamicAnchor"):
                if isinstance(part.get(name), str):
                    self._places.setdefault(f"{base}#{part[name]}", at)

    def follow(self, at: Path, reference: str) -> Path:
        """Return the path of what `reference`, a `$ref` of the subschema at `at`, names.

        Raises SchemaError where the schema holds no such place.
        """
        target, fragment = urldefrag(urljoin(self._bases.get(at, _ROOT_URI), reference))
        target = target or _ROOT_URI
        if reference.startswith("#"):
            target = self._bases.get(at, _ROOT_URI)
        named = self._places.get(f"{target}#{fragment}")
        if named is not None:
            return named
        start = self._places.get(target)
        if start is None or (fragment and not fragment.startswith("/")):
            raise SchemaError(at=pointer.join(at), problem=f"$ref {reference!r} names nothing inside this schema")
        path = (*start, *pointer.parse(unquote(fragment)))
        self.part(path, named_by=f"$ref {reference!r} at {pointer.join(at) or '/'}")
        return path

    def part(self, at: Path, named_by: str = "the path") -> object:
        """Return the subschema at `at`; raises SchemaError where there is none."""
        part: object = self._root
        for token in at:
            part = pointer.resolve(part, (token,))
            if part is pointer.MISSING:
                raise SchemaError(at=pointer.join(at), problem=f"{named_by} names nothing inside this schema")
        return part


def _subschemas(part: object, at: Path, base: str) -> Iterator[tuple[Path, Mapping[str, object], str]]:
    """Yield each object below `part` that may be a schema, with the base URI that its references resolve against."""
    if isinstance(part, Mapping):
        if isinstance(part.get("$id"), str):
            base = urldefrag(urljoin(base, str(part["$id"])))[0]
        yield at, part, base
        for name, child in part.items():
            if name not in _VALUES:
                yield from _subschemas(child, (*at, name), base)
    elif isinstance(part, list):
        for index, child in enumerate(part):
            yield from _subschemas(child, (*at, str(index)), base)
