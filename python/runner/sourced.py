"""Sourced schemas: what a connector says its source's documents are (protocol reference, section 3.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from python.protocol import document, pointer
from python.protocol.capture import SourcedSchema
from python.protocol.errors import DocumentError, RemoteProtocolError
from python.runner.schemas import Path, Schema, SchemaError, SchemaIndex, compile_schema, modernized

__all__ = ["check_sourced"]

_BELOW = ("items", "additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems")
_BELOW_BY_NAME = ("properties", "patternProperties")
_BESIDE = ("then", "else")
_BRANCHES = ("anyOf", "oneOf")


def check_sourced(message: SourcedSchema) -> None:
    """Raise RemoteProtocolError where a sourced schema is invalid, or leaves an object open (rule 64).

    Nothing is fetched: a schema that refers outside of itself is invalid.
    """
    try:
        schema = _compiled(modernized(document.decode(message.document_schema)))
        at = next(_Openness(schema).open_objects((), ()), None) if isinstance(schema, Mapping) else None
    except (DocumentError, SchemaError) as error:
        raise RemoteProtocolError(f"a sourced schema is no JSON Schema: {error}", rule=64) from None
    if at is not None:
        raise RemoteProtocolError(
            f"a sourced schema leaves the object at {at or '/'} open; say additionalProperties: false",
            rule=64,
        )


def _compiled(schema: object) -> Schema:
    if not isinstance(schema, (Mapping, bool)):
        raise SchemaError(at="", problem="is neither an object nor a boolean")
    compile_schema(schema)
    return schema


class _Openness:
    """One schema, looked through for objects that may have members it does not name."""

    def __init__(self, root: Mapping[str, object]) -> None:
        self._index = SchemaIndex(root)
        self._seen: set[Path] = set()

    def open_objects(self, at: Path, place: tuple[str, ...]) -> Iterator[str]:
        """Yield the places of open objects, from the subschema at `at` on, which holds at `place` of documents."""
        if at in self._seen:
            return
        self._seen.add(at)
        here = list(self._beside(at, ()))
        if any(map(self._speaks_of_objects, here)) and not self._closes(at, ()):
            yield pointer.join(place)
        for beside in here:
            for below, token in self._below(beside):
                yield from self.open_objects(below, (*place, token))

    def _part(self, at: Path) -> Mapping[str, object]:
        part = self._index.part(at)
        return part if isinstance(part, Mapping) else {}

    def _speaks_of_objects(self, at: Path) -> bool:
        part = self._part(at)
        return "object" in _types(part) or "properties" in part

    def _beside(self, at: Path, active: tuple[Path, ...]) -> Iterator[Path]:
        """Yield the subschemas that may hold at the same place as the one at `at`, which is the first."""
        if at in active:
            return
        yield at
        for other in self._others(at):
            yield from self._beside(other, (*active, at))

    def _others(self, at: Path) -> Iterator[Path]:
        part = self._part(at)
        if isinstance(part.get("$ref"), str):
            yield self._index.follow(at, str(part["$ref"]))
        for keyword in ("allOf", *_BRANCHES):
            yield from _listed(part, at, keyword)
        yield from ((*at, keyword) for keyword in _BESIDE if keyword in part)

    def _closes(self, at: Path, active: tuple[Path, ...]) -> bool:
        """Whether no object is valid by the subschema at `at` that has members it does not name."""
        part, types = self._part(at), _types(self._part(at))
        if at in active:
            return False
        if (
            self._index.part(at) is False
            or part.get("additionalProperties") is False
            or (types and "object" not in types)
        ):
            return True
        within = (*active, at)
        referred = [self._index.follow(at, str(part["$ref"]))] if isinstance(part.get("$ref"), str) else []
        if any(self._closes(other, within) for other in [*referred, *_listed(part, at, "allOf")]):
            return True
        choices = [list(_listed(part, at, keyword)) for keyword in _BRANCHES]
        choices.append([(*at, keyword) for keyword in _BESIDE] if {"if", *_BESIDE} <= part.keys() else [])
        return any(choice and all(self._closes(other, within) for other in choice) for choice in choices)

    def _below(self, at: Path) -> Iterator[tuple[Path, str]]:
        """Yield the subschemas one level further down in documents, each with the name it is told by."""
        part = self._part(at)
        for keyword in _BELOW_BY_NAME:
            members = part.get(keyword)
            yield from (((*at, keyword, name), name) for name in (members if isinstance(members, Mapping) else ()))
        yield from ((path, path[-1]) for path in _listed(part, at, "prefixItems"))
        yield from (((*at, keyword), keyword) for keyword in _BELOW if isinstance(part.get(keyword), Mapping))


def _listed(part: Mapping[str, object], at: Path, keyword: str) -> Iterator[Path]:
    parts = part.get(keyword)
    yield from ((*at, keyword, str(index)) for index in range(len(parts) if isinstance(parts, list) else 0))


def _types(part: Mapping[str, object]) -> tuple[object, ...]:
    kinds = part.get("type", ())
    return tuple(kinds) if isinstance(kinds, (list, tuple)) else (kinds,)
