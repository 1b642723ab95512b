"""The files of a registry, of entries that are JSON already: nothing of an entry is read to write it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from python.registry.generation.entries import Registry

__all__ = ["SECTIONS", "Entries", "Kind", "composite", "entries_of", "registry", "secret_names", "secrets_mask"]

Kind: TypeAlias = Literal["source", "destination"]

SECTIONS: Mapping[Kind, str] = {"source": "sources", "destination": "destinations"}

Entries: TypeAlias = "Mapping[Registry, msgspec.Raw]"
"""A connector's entries, by the registries that have it."""


class _Registry(msgspec.Struct, frozen=True):
    """A registry's file; entries stay text."""

    sources: list[msgspec.Raw]
    destinations: list[msgspec.Raw]


class _SourceFile(msgspec.Struct, frozen=True):
    metadata_file_path: str


class _Generated(msgspec.Struct, frozen=True):
    source_file_info: _SourceFile


class _Made(msgspec.Struct, frozen=True):
    """As much of an entry as says whose it is."""

    generated: _Generated


def registry(connectors: Iterable[tuple[Kind, msgspec.Raw]]) -> bytes:
    """Return the file of a registry with these entries, in this order."""
    raws: dict[Kind, list[bytes]] = {"destination": [], "source": []}
    for kind, raw in connectors:
        raws[kind].append(bytes(raw))
    parts = [b'"%b":[%b]' % (SECTIONS[kind].encode(), b",".join(of_kind)) for kind, of_kind in raws.items()]
    return b"{%b}\n" % b",".join(parts)


def composite(connectors: Iterable[tuple[Kind, Entries]]) -> bytes:
    """Return the registry of all connectors: the entry of `oss` where there is one, with `availability` beside it."""
    return registry((kind, _available(entries)) for kind, entries in connectors if entries)


def _available(entries: Entries) -> msgspec.Raw:
    availability = [name for name in ("cloud", "oss") if name in entries]
    raw = bytes(entries.get("oss") or entries["cloud"])
    return msgspec.Raw(b'%b,"availability":%b}' % (raw[:-1], msgspec.json.encode(availability)))


def entries_of(data: bytes) -> Iterator[tuple[str, msgspec.Raw]]:
    """Yield the entries of a registry that we wrote, each with the repository whose metadata it was made of.

    They are views of `data`. Raises msgspec.DecodeError where it is no registry of ours.
    """
    read = msgspec.json.decode(data, type=_Registry)
    decoder = msgspec.json.Decoder(_Made)
    for raw in (*read.sources, *read.destinations):
        path = decoder.decode(raw).generated.source_file_info.metadata_file_path
        yield path.removeprefix("metadata/").rsplit("/", 2)[0], raw


def secret_names(spec: object) -> Iterator[str]:
    """Yield the name of each property that a spec calls a secret, at any depth."""
    waiting = [spec]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
            properties = value.get("properties")
            if isinstance(properties, dict):
                yield from (name for name, each in properties.items() if _is_secret(each))


def _is_secret(schema: object) -> bool:
    return isinstance(schema, dict) and schema.get("airbyte_secret") is True


def secrets_mask(names: Sequence[str]) -> bytes:
    """Return the file that names every secret: what masks logs reads it. JSON strings are YAML, too."""
    lines = "".join(f"  - {msgspec.json.encode(name).decode()}\n" for name in sorted(set(names)))
    return (f"properties:\n{lines}" if lines else "properties: []\n").encode()
