"""What metadata, specs and entries have to be before anybody can read them, whoever made them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
import pydantic
import ryaml

from python.registry.generation.entries import EntryError
from python.registry.generation.registries import Kind
from python.registry.metadata.models import ConnectorMetadata

__all__ = ["METADATA_BYTES_MAX", "SPEC_DEPTH_MAX", "checked_entry", "checked_metadata", "checked_spec"]

METADATA_BYTES_MAX = 1024 * 1024  # a hundred times what the longest of Airbyte's has
SPEC_DEPTH_MAX = 200  # five times the deepest of Airbyte's; what reads entries takes no more than about a thousand
_WANTED = {
    "model_type": "want a mapping of names to values",
    "missing": "it is missing",
    "extra_forbidden": "there is no such member",
}
"""What is said in place of pydantic's sentences, which are for programmers, by the kind of error."""

_SHOWN_ERRORS_MAX = 3  # enough to see what kind of mistake it is; `metadata_service validate` tells all

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Spec(msgspec.Struct, frozen=True):
    connection_specification: dict[str, Any] = msgspec.field(name="connectionSpecification")


class _Entry(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """What both kinds share. Members that are not named here may be anything."""

    name: _Text
    docker_repository: _Text
    docker_image_tag: _Text
    documentation_url: _Text
    spec: msgspec.Raw
    tombstone: bool
    custom: bool
    public: bool
    source_type: str | None = None
    release_stage: str | None = None
    support_level: str | None = None
    release_date: str | None = None
    tags: list[str] = []
    language: str | None = None
    license: str | None = None
    icon_url: str | None = None
    allowed_hosts: dict[str, Any] | None = None
    suggested_streams: dict[str, Any] | None = None
    resource_requirements: dict[str, Any] | None = None
    max_seconds_between_messages: int | None = None
    releases: dict[str, Any] | None = None
    generated: dict[str, Any] | None = None


class _Source(_Entry, frozen=True, kw_only=True):
    source_definition_id: uuid.UUID


class _Destination(_Entry, frozen=True, kw_only=True):
    destination_definition_id: uuid.UUID


_KINDS: dict[Kind, type[_Entry]] = {"source": _Source, "destination": _Destination}


def checked_metadata(data: bytes, path: str) -> dict[str, Any]:
    """Return the `data` of the metadata file at `path`, as it is written there.

    It is read as YAML 1.2, in which what `metadata_service` wrote says the same; what multiplies by aliases is refused.
    Raises EntryError.
    """
    if len(data) > METADATA_BYTES_MAX:
        raise EntryError(f"{path} has {len(data):,} bytes: want {METADATA_BYTES_MAX:,} at most")
    try:
        read = ryaml.loads(data.decode())  # type: ignore[attr-defined]  # its stub re-exports without saying so
        ConnectorMetadata.model_validate(read)
    except pydantic.ValidationError as error:
        raise EntryError(f"{path} is not valid: {_told(error)}") from None
    except ValueError as error:  # InvalidYamlError and UnicodeDecodeError are, and so is a key that is a list
        raise EntryError(f"{path} cannot be read: {error}") from None
    made: dict[str, Any] = read["data"]
    folder = path.removeprefix("metadata/").removesuffix("/metadata.yaml")
    if (of := f"{made['dockerRepository']}/{made['dockerImageTag']}") != folder:
        raise EntryError(f"{path} says that it is of {of}, which has a folder of its own")
    return made


def _told(error: pydantic.ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False)
    told = [
        f"/{'/'.join(map(str, each['loc']))}: {_WANTED.get(each['type'], each['msg'])}"
        for each in problems[:_SHOWN_ERRORS_MAX]
    ]
    more = len(problems) - len(told)
    return "; ".join([*told, f"and {more} more"] if more else told)


def checked_spec(data: bytes, path: str) -> Mapping[str, Any]:
    """Return the spec in the file at `path`. Raises EntryError where it is none."""
    try:
        msgspec.json.decode(data, type=_Spec)
        spec: Mapping[str, Any] = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EntryError(f"{path} is no spec: {error}") from None
    if data.count(b"{") + data.count(b"[") > SPEC_DEPTH_MAX and _is_deep(spec):
        raise EntryError(f"{path} is no spec: it is nested more than {SPEC_DEPTH_MAX} levels deep")
    return spec


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(SPEC_DEPTH_MAX):
        level = [each for one in level if isinstance(one, dict | list) for each in _children(one)]
    return bool(level)


def _children(value: dict[str, object] | list[object]) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value


def checked_entry(raw: msgspec.Raw, kind: Kind) -> None:
    """`raw` is an entry as Airbyte's readers want it. Raises EntryError."""
    try:
        msgspec.json.decode(raw, type=_KINDS[kind])
    except msgspec.DecodeError as error:
        raise EntryError(f"its entry is not as registries want it: {error}") from None
