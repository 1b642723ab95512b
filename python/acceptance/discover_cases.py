"""Rules of discover (31 to 38)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from python.acceptance.capturing import CaptureSubject
from python.acceptance.cases import Case, require
from python.acceptance.transcripts import Json
from python.acceptance.verdicts import BrokenError, NothingError
from python.protocol import document
from python.runner.catalog import Collection
from python.runner.inference import infer
from python.runner.projections import problems
from python.runner.schemas import SchemaError, compile_schema, modernized

__all__ = ["CASES"]

_NAME = re.compile(r"[\w.\-]+(/[\w.\-]+)*")


def _found(subject: CaptureSubject) -> Sequence[Json]:
    """Return the discovered bindings. Raises NothingError where there are none: of those, all promises are kept."""
    if not subject.discovered:
        raise NothingError("no bindings are discovered")
    return subject.discovered


def _members(subject: CaptureSubject) -> None:
    for number, found in enumerate(_found(subject)):
        for name, kind in (("recommendedName", str), ("resourceConfig", dict), ("documentSchema", dict)):
            got = found.get(name)
            require(
                isinstance(got, kind) and bool(got),
                f"discovered binding {number} has no {name}",
                got=got,
                want="a name" if kind is str else "an object",
                transcript=subject.discovery,
            )


def _resources(subject: CaptureSubject) -> None:
    try:
        validator = compile_schema(modernized(subject.spec.get("resourceConfigSchema")))  # type: ignore[arg-type] # rule 18 tells
    except SchemaError as error:
        raise BrokenError("there is no schema of resource configs", got=str(error), want="a JSON Schema") from None
    for found in _found(subject):
        violation = next(iter(validator.iter_errors(found.get("resourceConfig"))), None)
        require(
            violation is None,
            f"the resource config of {found.get('recommendedName')} is not valid by resourceConfigSchema",
            got="" if violation is None else violation.message.splitlines()[0],
            want="a valid one",
        )


def _paths(subject: CaptureSubject) -> None:
    first: dict[tuple[str, ...], object] = {}
    for found in _found(subject):
        path, name = subject.path(found.get("resourceConfig")), found.get("recommendedName")
        require(any(path), f"the resource path of {name} is empty", got=list(path), want="what the pointers locate")
        require(path not in first, f"{name} has the resource path of {first.get(path)}", got=list(path), want="its own")
        first[path] = name


def _schemas(subject: CaptureSubject) -> None:
    for found in _found(subject):
        name, schema = found.get("recommendedName"), found.get("documentSchema")
        try:
            compile_schema(modernized(schema))  # type: ignore[arg-type] # what is none is told so
            types = infer(schema).types if isinstance(schema, dict) else frozenset({"anything"})
        except (SchemaError, TypeError) as error:
            raise BrokenError(f"the schema of {name} is none", got=str(error), want="a JSON Schema") from None
        require(types == {"object"}, f"the schema of {name} admits more", got=sorted(types), want='"type": "object"')


def _keys(subject: CaptureSubject) -> None:
    for found in _found(subject):
        name, schema, key = found.get("recommendedName"), found.get("documentSchema"), found.get("key")
        if not isinstance(key, list) or not key or not all(isinstance(each, str) for each in key):
            raise BrokenError(f"{name} has no key", got=key, want="a list of JSON pointers, at least one")
        bad = [each for each in key if not each.startswith("/")]
        require(not bad, f"the key of {name} has no JSON pointer", got=bad, want="pointers that begin with /")
        if not isinstance(schema, dict):
            raise BrokenError(f"{name} has no schema", got=schema, want="a JSON Schema")
        where = subject.task.where  # type: ignore[attr-defined] # every task has its place
        collection = Collection(name=str(name), key=tuple(key), write_schema=schema, where=where)
        try:
            wrong = [each.sentence for each in problems(collection, infer(schema), infer(schema))]
        except SchemaError as error:
            raise BrokenError(f"the schema of {name} is none", got=str(error), want="a JSON Schema") from None
        require(not wrong, f"the key of {name} cannot be one", got="; ".join(wrong), want="a location of the schema")


def _names(subject: CaptureSubject) -> None:
    names = [str(found.get("recommendedName")) for found in _found(subject)]
    bad = [name for name in names if not _NAME.fullmatch(name)]
    require(not bad, "a recommended name cannot be one of a collection", got=bad, want="letters, digits, - _ . and /")
    twice = sorted({name for name in names if names.count(name) > 1})
    require(not twice, "a recommended name comes twice", got=twice, want="unique names")


def _stable(subject: CaptureSubject) -> None:
    again = subject.one(subject.ask(subject.discover(subject.config)), "discovered").get("bindings", [])
    once = subject.discovered
    names, others = ([str(each.get("recommendedName")) for each in found] for found in (once, _objects(again)))
    require(names == others, "two discoveries differ in order", got=others, want=repr(names))
    same = document.encode(list(once)) == document.encode(again)
    require(same, "two discoveries differ", got="other schemas, keys or resource configs", want="the same bindings")
    _found(subject)


def _objects(found: object) -> list[Json]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _flags(subject: CaptureSubject) -> None:
    for found in _found(subject):
        name = found.get("recommendedName")
        for flag in ("disable", "isFallbackKey"):
            got = found.get(flag, False)
            require(isinstance(got, bool), f"{flag} of {name} is no boolean", got=got, want="true or false")
        fallback = found.get("isFallbackKey") is True
        require(not fallback or bool(found.get("key")), f"{name} has no key to fall back to", got=None, want="a key")


CASES = (
    Case(31, "members of bindings", _members),
    Case(32, "valid resource configs", _resources),
    Case(33, "unique resource paths", _paths),
    Case(34, "schemas of objects", _schemas),
    Case(35, "keys", _keys),
    Case(36, "recommended names", _names),
    Case(37, "discovered again", _stable),
    Case(38, "flags of bindings", _flags),
)
"""The cases of this module."""
