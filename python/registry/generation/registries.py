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
    return _joined(((name, kind, (memoryview(raw),)) for name, kind, raw in connectors), places)


def composite(connectors: Iterable[tuple[str, Kind, Entries]]) -> bytes:
    """Return the registry of all connectors: the entry of `oss` where there is one, with `availability` beside it."""
    return _joined(((name, kind, _available(entries)) for name, kind, entries in connectors if entries), None)


def _available(entries: Entries) -> tuple[memoryview, bytes]:
    availability = [name for name in ("cloud", "oss") if name in entries]
    raw = memoryview(entries["oss"] if "oss" in entries else entries["cloud"])
    return raw[:-1], b',"availability":%b}' % msgspec.json.encode(availability)


def _joined(
    connectors: Iterable[tuple[str, Kind, tuple[bytes | memoryview, ...]]], places: dict[str, Place] | None
) -> bytes:
    """Return a file of entries that are in pieces: they are many megabytes, and are copied once."""
    sections: dict[Kind, list[tuple[str, tuple[bytes | memoryview, ...]]]] = {"destination": [], "source": []}
    for repository, kind, pieces in connectors:
        sections[kind].append((repository, pieces))
    parts, at = list[bytes | memoryview](), 0
    for kind, entries in sections.items():
        parts.append(b'%b"%b":[' % (b"]," if parts else b"{", SECTIONS[kind].encode()))
        at += len(parts[-1])
        for number, (repository, pieces) in enumerate(entries):
            if number:
                parts.append(b",")
                at += 1
            size = sum(map(len, pieces))
            if places is not None:
                places[repository] = (at, size)
            parts += pieces
            at += size
    return b"".join([*parts, b"]}\n"])


def entries_of(data: bytes, places: Mapping[str, Place]) -> Iterator[tuple[str, msgspec.Raw]]:
    """Yield the entries of a registry's file, each with its repository, as views of `data`."""
    view = memoryview(data)
    for repository, (at, size) in places.items():
        yield repository, msgspec.Raw(view[at : at + size])


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
