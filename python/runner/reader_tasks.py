"""What derivations and materializations have in common: collections to read, and how far each was read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from python.protocol import document
from python.protocol.flow import CollectionSpec
from python.protocol.projection import Projection
from python.runner import catalog_readers as readers
from python.runner.build import collection_spec
from python.runner.catalog import Catalog, Collection
from python.runner.extraction import Extractor, canonical_key
from python.runner.journal import clock_of
from python.runner.problems import CatalogError, Problem, suggestion
from python.runner.reading import Source
from python.runner.schemas import SchemaError
from python.runner.stored import reading_collector

__all__ = ["CLOCKS_A_SECOND", "collections_read", "source_of", "utc_clock"]

CLOCKS_A_SECOND = 160_000_000
"""Flow's clocks in a second: ticks of 100 ns, each with sixteen counts."""


def collections_read(sources: Iterable[readers.Source], catalog: Catalog) -> dict[str, CollectionSpec]:
    """Return the collections of `sources`, as readers are sent them.

    Raises CatalogError for all that are missing, and for a schema that cannot check documents.
    """
    found: dict[str, CollectionSpec] = {}
    missing: list[Problem] = []
    for source in sources:
        if source.collection in catalog.collections:
            found[source.collection] = _read(catalog.collections[source.collection])
        else:
            hint = suggestion(source.collection, catalog.collections) or "; define it, or import its file"
            missing.append(Problem(source.where, f"reads {source.collection}, which no file defines{hint}"))
    if missing:
        raise CatalogError(missing)
    return found


def _read(collection: Collection) -> CollectionSpec:
    built = collection_spec(collection, reading=True)
    try:
        reading_collector(built)
    except SchemaError as error:
        raise CatalogError.at(collection.where, f"collection {collection.name}: {error}") from None
    return built


def source_of(
    source: readers.Source, collection: CollectionSpec, name: str, *, priority: int = 0, delay_seconds: float = 0.0
) -> Source:
    """Return what is read of `collection`, and the offset's `name`. Raises CatalogError for what is no partition."""
    return Source(
        name=name,
        collection=collection.name,
        priority=priority,
        delay=round(delay_seconds * CLOCKS_A_SECOND),
        begin=clock_of(source.not_before) if source.not_before else 0,
        end=clock_of(source.not_after) if source.not_after else None,
        accepts=_selector(source, collection),
    )


def utc_clock() -> int:
    """Return the clock of now."""
    return clock_of(dt.datetime.now(dt.timezone.utc))


def _selector(source: readers.Source, collection: CollectionSpec) -> Callable[[bytes], bool] | None:
    """Return what says whether a document is in the selected partitions; None where all of them are."""
    if not source.include and not source.exclude:
        return None
    fields = {projection.field: projection for projection in collection.projections if projection.is_partition_key}
    strange = [name for name in (*source.include, *source.exclude) if name not in fields]
    if strange:
        known = ", ".join(fields) or "none"
        sentence = f"selects by {strange[0]!r}, which is no partition of {collection.name}; its partitions are: {known}"
        raise CatalogError.at(source.where, sentence)
    wanted = [(_value_of(fields[name]), _texts(values)) for name, values in source.include.items()]
    unwanted = [(_value_of(fields[name]), _texts(values)) for name, values in source.exclude.items()]

    def accepts(doc: bytes) -> bool:
        return all(value(doc) in texts for value, texts in wanted) and not any(
            value(doc) in texts for value, texts in unwanted
        )

    return accepts


def _value_of(projection: Projection) -> Callable[[bytes], bytes]:
    return Extractor([(projection.ptr, b"null")]).key


def _texts(values: Iterable[object]) -> frozenset[bytes]:
    return frozenset(canonical_key(document.encode([value])) for value in values)
