"""The steps of a test, checked before anything runs: what is to be ingested, and what is to be found then."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from python.protocol import document
from python.runner.build import collection_spec, collector_of
from python.runner.catalog import Catalog
from python.runner.catalog_tests import Step
from python.runner.collector import Collector, ViolationError
from python.runner.combiner import Combiner, in_key_order
from python.runner.problems import CatalogError, Problem, suggestion
from python.runner.reader_tasks import source_of
from python.runner.reading import Source
from python.runner.reduction import ReductionError
from python.runner.schemas import SchemaError
from python.runner.stored import reading_collector
from python.runner.testing_verify import Wanted

__all__ = ["Ingest", "Verify", "checked"]


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """Documents for a collection, as one transaction commits them: combined by key, in key order."""

    collection: str
    documents: Sequence[bytes]
    step: Step


@dataclass(frozen=True, kw_only=True)
class Verify:
    """Documents to be found in a collection. `source` selects, and `collector` reduces, those that are there."""

    collection: str
    key: Sequence[str]
    source: Source
    collector: Collector
    wanted: Sequence[Wanted]
    step: Step


def checked(step: Step, catalog: Catalog) -> Ingest | Verify:
    """Return `step`, ready to be done. Raises CatalogError, with all that is wrong with it and its documents."""
    name = step.source.collection
    if name not in catalog.collections:
        does = "verifies" if step.verify else "ingests into"
        hint = suggestion(name, catalog.collections) or "; define it, or import its file"
        raise CatalogError.at(step.source.where, f"{does} {name}, which no file defines{hint}")
    return _verify(step, catalog) if step.verify else _ingest(step, catalog)


def _ingest(step: Step, catalog: Catalog) -> Ingest:
    collector = collector_of(catalog.collections[step.source.collection])
    combiner = Combiner([collector])
    problems = []
    for number, (doc, where) in enumerate(step.documents, 1):
        text = msgspec.Raw(document.encode(doc))
        try:
            collector.key(text)
            combiner.add(0, text)
        except (ViolationError, ReductionError) as error:
            problems.append(Problem(where, f"document {number} cannot be ingested: {error}"))
    if problems:
        raise CatalogError(problems)
    combiner.checkpoint()
    return Ingest(collection=step.source.collection, documents=list(in_key_order(combiner.take()[0])), step=step)


def _verify(step: Step, catalog: Catalog) -> Verify:
    collection = catalog.collections[step.source.collection]
    spec = collection_spec(collection, reading=True)
    try:
        collector = reading_collector(spec)
    except SchemaError as error:
        raise CatalogError.at(collection.where, f"collection {collection.name}: {error}") from None
    wanted = [Wanted(doc, spec.key) for doc, _ in step.documents]
    problems = list(_order_problems(step, wanted, spec.key))
    if problems:
        raise CatalogError(problems)
    source = source_of(step.source, spec, collection.name)
    return Verify(
        collection=collection.name, key=spec.key, source=source, collector=collector, wanted=wanted, step=step
    )


def _order_problems(step: Step, wanted: Sequence[Wanted], key: Sequence[str]) -> Iterator[Problem]:
    """Yield where documents are not in the order of their keys, which is that of the collection."""
    for number, (before, after) in enumerate(itertools.pairwise(wanted), 2):
        if before.key is None or after.key is None or before.key < after.key:
            continue
        problem = "has the key of the one before it" if before.key == after.key else "comes before the last one by key"
        shown = document.encode(after.parts).decode()
        sentence = f"document {number}, {shown}, {problem}: want the order of the key {', '.join(key)}, each once"
        yield Problem(step.documents[number - 1][1], sentence)
