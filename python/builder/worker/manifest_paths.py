"""What a manifest asks of one stream, as far as hints need it; nothing is known of what is not written plainly.

It runs inside of the interpreter that has airbyte-cdk: standard library only, Python 3.9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Stream", "stream_of"]

_REFERENCES_MAX = 20  # a chain that is longer leads nowhere


class Stream(NamedTuple):
    """What is wanted of a stream. `field_path` is None where it is not known: interpolated, or custom."""

    field_path: Sequence[str] | None = None
    decoder: str = ""
    record_filter: str = ""
    primary_key: Sequence[Sequence[str]] = ()
    cursor_field: Sequence[Sequence[str]] = ()
    has_paginator: bool = True
    has_partitions: bool = False


def stream_of(manifest: Mapping[str, Any], name: str) -> Stream:
    """Return what `manifest` wants of the stream `name`; a stream that is generated or unknown wants nothing known."""
    streams = _list(manifest.get("streams"))
    found = next((each for each in (_at(manifest, each) for each in streams) if _name(each) == name), None)
    if found is None:
        return Stream()

    def under(value: object, *path: str) -> Any:  # noqa: ANN401 -- whatever a manifest has there
        for step in path:
            value = _at(manifest, _mapping(value).get(step))
        return value

    retriever = under(found, "retriever")
    decoder, paginator = under(retriever, "decoder", "type"), under(retriever, "paginator", "type")
    cursor = under(found, "incremental_sync", "cursor_field")
    is_simple = under(retriever, "type") in (None, "SimpleRetriever")
    return Stream(
        field_path=_field_path(under(retriever, "record_selector", "extractor")) if is_simple else None,
        decoder=decoder or "JsonDecoder" if is_simple else "",
        record_filter=str(under(retriever, "record_selector", "record_filter", "condition") or ""),
        primary_key=_keys(under(found, "primary_key")),
        cursor_field=[[cursor]] if isinstance(cursor, str) and "{" not in cursor else [],
        has_paginator=not is_simple or paginator not in (None, "NoPagination"),
        has_partitions=bool(under(retriever, "partition_router")),
    )


def _name(stream: object) -> object:
    parameters = _mapping(_mapping(stream).get("$parameters"))
    return _mapping(stream).get("name", parameters.get("name"))


def _field_path(extractor: object) -> Sequence[str] | None:
    if _mapping(extractor).get("type", "DpathExtractor") != "DpathExtractor" or "record_expander" in _mapping(
        extractor
    ):
        return None
    path = _mapping(extractor).get("field_path")
    if not isinstance(path, list) or any("{" in str(each) or set(str(each)) & set("[]?") for each in path):
        return None
    return [str(each) for each in path]


def _keys(key: object) -> list[list[str]]:
    fields = [key] if isinstance(key, str) else _list(key)
    paths = [field if isinstance(field, list) else [field] for field in fields]
    return [[str(each) for each in path] for path in paths if path and not any("{" in str(each) for each in path)]


def _at(manifest: Mapping[str, Any], value: object) -> object:
    """Return `value`, or what it refers to, with its own fields over the other's."""
    own: dict[str, Any] = {}
    for _ in range(_REFERENCES_MAX):
        reference = _mapping(value).get("$ref") if isinstance(value, Mapping) else value
        if isinstance(value, Mapping):
            own = {**value, **own}
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return {name: item for name, item in own.items() if name != "$ref"} if own else value
        value = manifest
        for token in reference[2:].split("/"):
            value = _mapping(value).get(token)
    return own or value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
