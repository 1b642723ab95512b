"""A derivation without a store: validated, and ready to be opened on documents that are given."""

from __future__ import annotations

import msgspec

from python.protocol import derive as wire
from python.protocol.flow import FULL_RANGE, RangeSpec
from python.runner import derive_tasks, drive
from python.runner.build import collection_spec, collector_of
from python.runner.catalog import Catalog
from python.runner.catalog_readers import DerivationTask
from python.runner.deriving import Shuffled
from python.runner.journal import source_name
from python.runner.reader_tasks import collections_read, source_of
from python.runner.reading import Source

__all__ = ["GENERATION", "BuiltDerivation"]

GENERATION = "fixture"
"""What names the journal of a collection whose documents are given."""


class BuiltDerivation:
    """A derivation that its connector has validated. `collector` is that of the derived collection, `spec` what it is.

    `collections` are those it reads, by name, as a reader is sent them.
    """

    def __init__(self, task: DerivationTask, catalog: Catalog, launch: drive.Launch) -> None:
        """Validate `task`. Raises what is wrong with the derivation, its collections, or its connector."""
        self._transforms = derive_tasks.enabled(task)
        self.name = task.name
        self.collections = collections_read([transform.source for transform in self._transforms], catalog)
        self.collector = collector_of(catalog.collections[task.name])
        self.spec = collection_spec(catalog.collections[task.name])
        asked = derive_tasks.validate_request(task, self.spec, self.collections, None)
        validated = drive.ask(launch, asked, wire.Validated)
        self._built = derive_tasks.derivation_spec(task, self.collections, validated)

    def sources(self) -> list[Source]:
        """Return what each transform reads. Raises CatalogError for partitions that a collection does not have."""
        return [
            source_of(
                transform.source,
                self.collections[transform.source.collection],
                source_name(transform.source.collection, GENERATION, built.journal_read_suffix),
                priority=transform.priority,
                delay_seconds=transform.read_delay_seconds,
            )
            for transform, built in zip(self._transforms, self._built.transforms, strict=True)
        ]

    def shuffled(self, owned: RangeSpec = FULL_RANGE) -> list[Shuffled]:
        """Return the transforms, as a shard with the keys `owned` reads them."""
        share = None if owned == FULL_RANGE else owned
        return [Shuffled(index, transform, share) for index, transform in enumerate(self._built.transforms)]

    def open(self, connection: drive.Connection, version: str, owned: RangeSpec, state: object) -> None:
        """The session is open, from `state` on."""
        opened = msgspec.structs.replace(self.spec, derivation=self._built)
        connection.send(derive_tasks.open_request(opened, version, owned, state))
        connection.receive(wire.Opened)
