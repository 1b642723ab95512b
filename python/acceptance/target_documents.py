"""Collections and documents of a suite: from a table's schema to Flow's spec, and what a test compares."""

# ruff: noqa: S101 -- a suite asserts
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from python.acceptance.target import Table, Target
from python.protocol import document
from python.protocol.flow import CollectionSpec
from python.protocol.state_key import encode_state_key
from python.runner.catalog import Collection
from python.runner.inference import infer
from python.runner.problems import Where
from python.runner.projections import projections

__all__ = ["collection_of", "document_of", "raw_of", "rows_of", "same_documents"]

_SYNTHETIC = ("flow_published_at", "_meta/flow_truncated")  # documents of a suite have neither


def document_of(value: object) -> bytes:
    """Return a document's text: as it is, or of JSON values."""
    return value if isinstance(value, bytes) else document.encode(value)


def same_documents(loaded: Sequence[bytes], wanted: Sequence[object]) -> None:
    """Raise AssertionError unless these are the same documents, with all their digits, in any order."""
    found, expected = (sorted(repr(document.decode(document_of(each))) for each in texts) for texts in (loaded, wanted))
    assert found == expected, f"loaded {found!r:.1000}, want {expected!r:.1000}"


def rows_of(target: Target, *columns: str, table: str = "things") -> list[tuple[str | None, ...]]:
    """Return some columns of a table, its rows sorted."""
    found = target.rows(table)
    return sorted((tuple(None if row[name] is None else str(row[name]) for name in columns) for row in found), key=str)


def collection_of(table: Table) -> CollectionSpec:
    """Return the collection that a table is stored from."""
    schema: Mapping[str, object] = {
        "type": "object",
        "required": list(table.required),
        "properties": dict(table.properties),
    }
    where = Where(Path("suite"), 1)
    found = Collection(
        name=f"acmeCo/{encode_state_key([table.name], 0)}", key=table.key, write_schema=schema, where=where
    )
    return CollectionSpec(
        name=found.name,
        key=found.key,
        write_schema=raw_of(schema),
        projections=tuple(each for each in projections(found, infer(schema)) if each.field not in _SYNTHETIC),
    )


def raw_of(value: object) -> msgspec.Raw:
    """Return JSON values as text."""
    return msgspec.Raw(document.encode([value])[1:-1])
