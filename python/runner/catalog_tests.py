"""The tests of a specification, as values: documents to ingest, and documents to find then."""

from __future__ import annotations

from dataclasses import dataclass

from python.runner.catalog_readers import Source
from python.runner.problems import Where

__all__ = ["CatalogTest", "Step"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of a test: its documents are put into the collection of `source`, or, with `verify`, looked for there.

    Documents are plain Python values, each with its place.
    """

    verify: bool
    source: Source
    documents: tuple[tuple[object, Where], ...]
    description: str = ""
    where: Where


@dataclass(frozen=True, kw_only=True)
class CatalogTest:
    """A test, with its steps in order."""

    name: str
    steps: tuple[Step, ...]
    description: str = ""
    where: Where
