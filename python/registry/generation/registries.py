"""The files of a registry, of entries that are JSON already: nothing of an entry is read to write it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from python.registry.generation.entries import Registry

__all__ = [
    "SECTIONS",
    "Entries",
    "Kind",
    "Place",
    "composite",
    "entries_of",
    "registry",
    "secret_names",
    "secrets_mask",
]

Kind: TypeAlias = Literal["source", "destination"]

SECTIONS: Mapping[Kind, str] = {"source": "sources", "destination": "destinations"}

Entries: TypeAlias = "Mapping[Registry, msgspec.Raw]"
"""A connector's entries, by the registries that have it."""


Place: TypeAlias = "tuple[int, int]"
"""Where an entry is in the file of its registry: its first byte, and how many there are."""


def registry(connectors: Iterable[tuple[str, Kind, msgspec.Raw]], places: dict[str, Place] | None = None) -> bytes:
    """Return the file of a registry with these entries, each with its repository, in this order within its section.

    `places` gets where each of them is, by repository.
    """
    sections: dict[Kind, list[tuple[str, memoryview]]] = {"destination": [], "source": []}
    for repository, kind, raw in connectors:
        sections[kind].append((repository, memoryview(raw)))
    parts, at = list[bytes | memoryview](), 0
    for kind, entries in sections.items():
        parts.append(b'%b"%b":[' % (b"]," if parts else b"{", SECTIONS[kind].encode()))
        at += len(parts[-1])
        for number, (repository, data) in enumerate(entries):
            if number:
                parts.append(b",")
                at += 1
            if places is not None:
                places[repository] = (at, len(data))
            parts.append(data)
            at += len(data)
    return b"".join([*parts, b"]}\n"])


def entries_of(data: bytes, places: Mapping[str, Place]) -> Iterator[tuple[str, msgspec.Raw]]:
    """Yield the entries of a registry's file, each with its repository, as views of `data`."""
    view = memoryview(data)
    for repository, (at, size) in places.items():
        yield repository, msgspec.Raw(view[at : at + size])


def composite(connectors: Iterable[tuple[str, Kind, Entries]]) -> bytes:
    """Return the registry of all connectors: the entry of `oss` where there is one, with `availability` beside it."""
    return registry((repository, kind, _available(entries)) for repository, kind, entries in connectors if entries)


def _available(entries: Entries) -> msgspec.Raw:
    availability = [name for name in ("cloud", "oss") if name in entries]
    raw = bytes(entries.get("oss") or entries["cloud"])
    return msgspec.Raw(b'%b,"availability":%b}' % (raw[:-1], msgspec.json.encode(availability)))


def secret_names(spec: Any) -> Iterator[str]:  # noqa: ANN401 -- any JSON
    """Yield the name of each property that a spec calls a secret, at any depth."""
    waiting = [spec]
    while waiting:
        value = waiting.pop()
        if type(value) is list:  # JSON has no subclasses
            waiting.extend(value)
        elif type(value) is dict:
            waiting.extend(value.values())
            properties = value.get("properties")
            if type(properties) is dict:
                yield from (name for name, each in properties.items() if _is_secret(each))


def _is_secret(schema: object) -> bool:
    return isinstance(schema, dict) and schema.get("airbyte_secret") is True


def secrets_mask(names: Sequence[str]) -> bytes:
    """Return the file that names every secret: what masks logs reads it. JSON strings are YAML, too."""
    lines = "".join(f"  - {msgspec.json.encode(name).decode()}\n" for name in sorted(set(names)))
    return (f"properties:\n{lines}" if lines else "properties: []\n").encode()
