"""What differs between two versions: what their metadata say, and what the classifier finds in specs and catalogs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from python.importing.comparing import Comparison, compare
from python.protocol import pointer
from python.registry.metadata.documents import read
from python.registry.metadata.findings import told
from python.registry.service.descriptions import DescriptionError, snapshot
from python.registry.service.layout import CATALOG, MARKER, SPEC, At, found
from python.registry.service.yanking import check_there
from python.registry.store import Store

__all__ = ["Change", "Side", "between", "stored"]

_Json: TypeAlias = Any


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two: what people call it, and its files, metadata.yaml among them."""

    name: str
    files: Mapping[str, bytes]


class Change(msgspec.Struct, frozen=True):
    """One member of the metadata that differs: None where a side has it not."""

    pointer: str
    old: _Json
    new: _Json


def stored(store: Store, at: At) -> Side:
    """Return the version `at` of the store. Raises MissingVersionError."""
    check_there(store, at)
    names = (MARKER, SPEC, CATALOG)
    files = {name: data for name in names if (data := found(store, at.path(name))) is not None}
    return Side(name=str(at), files=files)


def between(old: Side, new: Side) -> tuple[tuple[Change, ...], Comparison]:
    """Return how the metadata differ, where they come from left out, and what else does. Raises DescriptionError."""
    values = [_said(side) for side in (old, new)]
    described = [
        snapshot(side.name, str(value.get("dockerImageTag")), side.files)
        for side, value in zip((old, new), values, strict=True)
    ]
    return tuple(_changes((), *values)), compare(*described)


def _said(side: Side) -> dict[str, _Json]:
    """Return the `data` of a side's metadata, today's names in it, without what tools wrote."""
    document = read(side.files[MARKER])
    data = document.value.get("data") if isinstance(document.value, dict) else None
    if not isinstance(data, dict):
        raise DescriptionError(f"{side.name}: metadata.yaml cannot be read: {told(side.name, document.findings)}")
    found = {"registryOverrides" if name == "registries" else name: each for name, each in data.items()}
    found.pop("generated", None)
    return found


def _changes(at: tuple[str, ...], old: _Json, new: _Json) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(name for name in new if name not in old)]:
            yield from _changes((*at, str(name)), old.get(name), new.get(name))
    elif old != new:
        yield Change(pointer.join(("data", *at)), old, new)
