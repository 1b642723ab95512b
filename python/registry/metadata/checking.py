"""A metadata file held against the models: all that is wrong with it at once, each with its place and what to do."""

from __future__ import annotations

import copy
import difflib
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from python.protocol import pointer
from python.registry.metadata import models, parts
from python.registry.metadata.documents import Document, read
from python.registry.metadata.findings import Finding, Severity, errors
from python.registry.metadata.models import ConnectorMetadata

__all__ = ["Checked", "check", "placed"]

_At: TypeAlias = tuple[str, ...]
_Json: TypeAlias = Any


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says: `metadata` is None where the models do not take it, and `findings` say why.

    `sketch` is for rules that look at the rest: `metadata`, or, where that is None, the file without the members
    `doubtful` of `data`, or with something in their place where they must be. None where nothing can be made of it.
    """

    metadata: ConnectorMetadata | None
    document: Document
    findings: tuple[Finding, ...]
    sketch: ConnectorMetadata | None = None
    doubtful: frozenset[str] = frozenset()


def check(data: bytes, *, lenient: bool = False) -> Checked:
    """Return what the metadata file `data` says, and everything that is wrong with it.

    A member that nobody knows is an error; with `lenient` it is a warning, and left out of `metadata`.
    """
    document = read(data)
    if document.value is None:
        return Checked(metadata=None, document=document, findings=document.findings)
    value = document.value
    metadata, wrong = _modelled(value)
    unknown = [each for each in wrong if each["type"] == "extra_forbidden"]
    if lenient and unknown:
        value = _without(value, unknown)
        metadata, wrong = _modelled(value)
        wrong = [*wrong, *unknown]
    findings = [*document.findings, *(placed(_finding(each, lenient=lenient), document) for each in wrong)]
    doubtful = frozenset(name for each in errors(findings) for name in pointer.parse(each.pointer)[1:2])
    return Checked(
        metadata=None if errors(findings) else metadata,
        document=document,
        findings=tuple(findings),
        sketch=_sketched(value, doubtful) if errors(findings) else metadata,
        doubtful=doubtful,
    )


def _sketched(value: _Json, doubtful: frozenset[str]) -> ConnectorMetadata | None:
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(data, dict):
        return None
    names = _names_of_data()
    kept = {name: each for name, each in data.items() if name in names and name not in doubtful}
    given = {name: each for name, each in _STAND_INS.items() if name in doubtful}
    return _modelled({"metadataSpecVersion": "1.0", "data": {**kept, **given}})[0]


_STAND_INS = {
    "name": "x",
    "definitionId": "00000000-0000-0000-0000-000000000000",
    "connectorType": "source",
    "dockerRepository": "x",
    "dockerImageTag": "0.0.0",
    "license": "x",
    "documentationUrl": "https://x",
    "githubIssueLabel": "x",
    "connectorSubtype": "unknown",
    "releaseStage": "alpha",
}


def placed(finding: Finding, document: Document) -> Finding:
    """Return `finding` with the line and column of its value in `document`, or of the nearest around it."""
    place = document.place(pointer.parse(finding.pointer))
    return msgspec.structs.replace(finding, line=place.line, column=place.column)


def _modelled(value: _Json) -> tuple[ConnectorMetadata | None, list[ErrorDetails]]:
    try:
        return ConnectorMetadata.model_validate(value), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _without(value: _Json, unknown: list[ErrorDetails]) -> _Json:
    found = copy.deepcopy(value)
    for each in unknown:
        *path, last = each["loc"]
        inner = functools.reduce(lambda within, name: within[name], path, found)
        inner.pop(last, None)
    return found


def _finding(error: ErrorDetails, *, lenient: bool) -> Finding:
    at = tuple(str(each) for each in error["loc"] if each != "[key]")
    rule, tell = _TOLD.get(error["type"], ("value", _by_pydantic))
    message, fix = tell(error, at)
    severity = Severity.WARNING if lenient and rule == "unknown" else Severity.ERROR
    return Finding(rule=rule, pointer=pointer.join(at), message=message, fix=fix, severity=severity)


_SO = "Write it so."
_Sentences: TypeAlias = tuple[str, str]


def _missing(_: ErrorDetails, at: _At) -> _Sentences:
    return f"{at[-1]} is missing", f"Write {at[-1]}{_such(at[-1])}."


def _unknown(_: ErrorDetails, at: _At) -> _Sentences:
    near = difflib.get_close_matches(at[-1], _names(), n=1)
    meant = f" or write {near[0]}, if that is meant" if near else ""
    return f"{at[-1]} is nothing that metadata has here", f"Leave it out{meant}."


def _of_type(wanted: str) -> Callable[[ErrorDetails, _At], _Sentences]:
    def tell(error: ErrorDetails, _: _At) -> _Sentences:
        given = error["input"]
        unquoted = wanted == "a text" and _is_scalar(given)
        fix = "Quote it: YAML takes it for something else." if unquoted else f"Write {wanted}."
        return f"got {_shown(given)}, want {wanted}", fix

    return tell


def _literal(error: ErrorDetails, _: _At) -> _Sentences:
    wanted = error.get("ctx", {}).get("expected", "")
    near = difflib.get_close_matches(
        str(error["input"]), wanted.replace("'", "").replace(" or ", ", ").split(", "), n=1
    )
    meant = f"Write {near[0]}, if that is meant." if near else "Write one of them."
    return f"got {_shown(error['input'])}, want one of {wanted}", meant


def _pattern(error: ErrorDetails, at: _At) -> _Sentences:
    if "dockerRepository" in at[-1]:
        wanted = "the name of an image in lower case, without a tag, as airbyte/source-faker"
    elif "dockerImageTag" in at[-1] and "+" in str(error["input"]):
        wanted = "a tag without +, which images cannot have: 1.4.0-preview.7 in place of 1.4.0+7"
    elif "dockerImageTag" in at[-1]:
        wanted = "a tag, as 1.4.0"
    else:
        wanted = "a version, as 2.0.0"
    return f"got {_shown(error['input'])}, want {wanted}", _SO


def _value(error: ErrorDetails, _: _At) -> _Sentences:
    wanted = str(error.get("ctx", {}).get("error", error["msg"]))
    given = "" if isinstance(error["input"], Mapping) else f"got {_shown(error['input'])}, "
    return f"{given}{wanted}", _SO


def _empty(error: ErrorDetails, at: _At) -> _Sentences:
    kind = "text" if isinstance(error["input"], str) else "list" if isinstance(error["input"], list) else "object"
    return f"{at[-1]} is an empty {kind}, want something in it", "Fill it, or leave it out if nobody asks for it."


def _too_long(error: ErrorDetails, at: _At) -> _Sentences:
    most = error.get("ctx", {}).get("max_length")
    return f"{at[-1]} has {len(str(error['input'])):,} characters, want at most {most}", "Shorten it."


def _by_pydantic(error: ErrorDetails, _: _At) -> _Sentences:
    return f"got {_shown(error['input'])}: {error['msg'][:1].lower()}{error['msg'][1:]}", "Write what is wanted."


_TOLD: Mapping[str, tuple[str, Callable[[ErrorDetails, _At], _Sentences]]] = {
    "missing": ("missing", _missing),
    "extra_forbidden": ("unknown", _unknown),
    "string_type": ("type", _of_type("a text")),
    "bool_type": ("type", _of_type("true or false")),
    "int_type": ("type", _of_type("a whole number")),
    "list_type": ("type", _of_type("a list")),
    "dict_type": ("type", _of_type("an object")),
    "model_type": ("type", _of_type("an object")),
    "literal_error": ("value", _literal),
    "string_pattern_mismatch": ("value", _pattern),
    "string_too_short": ("value", _empty),
    "too_short": ("value", _empty),
    "string_too_long": ("value", _too_long),
    "value_error": ("value", _value),
}

_EXAMPLES = {
    "metadataSpecVersion": '"1.0"',
    "data": "all that is said of the connector",
    "name": "what people call it",
    "definitionId": "a UUID that is this connector's for ever, as `uuidgen` makes them",
    "connectorType": "source or destination",
    "connectorSubtype": "one of api, database, datalake, file, custom, message_queue, unknown, vectorstore",
    "dockerRepository": "as airbyte/source-faker",
    "dockerImageTag": "as 1.0.0",
    "license": "as MIT",
    "documentationUrl": "as https://example.com/page",
    "githubIssueLabel": "as source-faker",
    "releaseStage": "one of alpha, beta, generally_available, custom",
    "enabled": "true or false",
    "upgradeDeadline": "a day, as 2026-11-21",
    "message": "what users have to do",
}


def _such(name: str) -> str:
    return f": {_EXAMPLES[name]}" if name in _EXAMPLES else ""


def _is_scalar(value: object) -> bool:
    return isinstance(value, (bool, int, float))


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if value is not None else "null"
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004 -- as much as a line of a terminal takes


@functools.cache
def _names() -> tuple[str, ...]:
    """Return the names of all members of all models."""
    return tuple(sorted({name for model in _models() for name in _aliases(model)}))


@functools.cache
def _names_of_data() -> frozenset[str]:
    return frozenset(_aliases(models.ConnectorData))


def _models() -> Iterator[type[BaseModel]]:
    for module in (models, parts):
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield each


def _aliases(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name
