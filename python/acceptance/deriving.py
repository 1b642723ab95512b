"""A derivation under test: the documents of its specification's own tests, and its transactions."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import msgspec

from python.acceptance.subject import Subject, raw
from python.acceptance.talking import Dialogue, Limits
from python.acceptance.transcripts import Json, Transcript
from python.acceptance.verdicts import BlockedError, NotApplicableError
from python.protocol import derive as wire
from python.protocol import document
from python.protocol.flow import FULL_RANGE, CollectionSpec, Derivation
from python.protocol.wire import FromRuntime
from python.runner import derive_tasks
from python.runner.build import collection_spec
from python.runner.catalog import Catalog
from python.runner.catalog_readers import DerivationTask
from python.runner.deriving import Shuffled

__all__ = ["DerivationSubject"]

_VERSION = "acceptance"
_CHECKPOINT = msgspec.Raw(b'{"sources":{}}')


class DerivationSubject(Subject):
    """A derivation. What it reads are the documents that the tests of its specification ingest."""

    def __init__(self, task: DerivationTask, catalog: Catalog, limits: Limits, network: str = "bridge") -> None:
        super().__init__(task, limits, network)
        self._derivation = task
        self._catalog = catalog

    @functools.cached_property
    def config(self) -> msgspec.Raw:
        """The config of the endpoint, in the clear."""
        return self._request.config

    def basic(self) -> Iterator[Transcript]:
        """Yield specs, validate and a session of two transactions."""
        yield self.specs
        yield self.validation
        yield self.session

    def validate(self, config: msgspec.Raw) -> wire.Validate:
        """Return the request to validate all transforms."""
        return msgspec.structs.replace(self._request, config=config)

    def open(self, state: object) -> wire.Open:
        """Return the request to derive from a state."""
        opened = msgspec.structs.replace(self.collection, derivation=self.derivation)
        return wire.Open(collection=opened, version=_VERSION, range=FULL_RANGE, state=raw(state))

    def empty_open(self) -> FromRuntime:
        """Return the request to derive, from the beginning: a derivation has its transforms in any case."""
        return self.open({})

    @functools.cached_property
    def session(self) -> Transcript:
        """Two transactions with all documents each, and one without any."""
        with self.opened() as dialogue:
            for reads in (self.reads, self.reads, ()):
                self.transaction(dialogue, reads)
            return dialogue.end()

    def opened(self) -> Dialogue:
        """Start the connector, and open a session. Raises BlockedError where it does not open."""
        dialogue = self.dialogue()
        dialogue.send(self.spec_request, self.line(self.open({})))
        if not dialogue.until("opened"):
            dialogue.__exit__()
            raise BlockedError("it needs an open session, which is not opened")
        return dialogue

    def transaction(self, dialogue: Dialogue, reads: Sequence[bytes]) -> list[object]:
        """Read, flush and commit, waiting for each answer; returns what was published."""
        before = len(dialogue.lines)
        dialogue.send(*reads, self.line(wire.Flush()))
        dialogue.until("flushed", dialogue.counts["flushed"] + 1)
        dialogue.send(self.line(wire.StartCommit(runtime_checkpoint=_CHECKPOINT)))
        dialogue.until("startedCommit", dialogue.counts["startedCommit"] + 1)
        return [doc for line in dialogue.lines[before:] if (doc := _published(line)) is not None]

    @functools.cached_property
    def reads(self) -> Sequence[bytes]:
        """The documents to read, as lines. Raises NotApplicableError where the specification's tests have none."""
        lines: list[bytes] = []
        for number, transform in enumerate(derive_tasks.enabled(self._derivation)):
            rows = [(index, index, text) for index, text in enumerate(self._ingested(transform.source.collection))]
            built = msgspec.structs.replace(self.derivation.transforms[number])
            lines += Shuffled(number, built).lines(rows)
        if not lines:
            raise NotApplicableError("no test of its specification ingests documents for it to read")
        return lines

    def _ingested(self, collection: str) -> Iterator[bytes]:
        for test in self._catalog.tests.values():
            for step in test.steps:
                if not step.verify and step.source.collection == collection:
                    yield from (document.encode(doc) for doc, _ in step.documents)

    @functools.cached_property
    def collection(self) -> CollectionSpec:
        """The derived collection."""
        return collection_spec(self._catalog.collections[self.task.name])

    @functools.cached_property
    def derivation(self) -> Derivation:
        """The derivation, built."""
        count = len(self._request.transforms)
        validated = wire.Validated(transforms=(wire.ValidatedTransform(),) * count)
        return derive_tasks.derivation_spec(self._derivation, self._sources, validated)

    @functools.cached_property
    def _sources(self) -> dict[str, CollectionSpec]:
        names = {each.source.collection for each in self._derivation.transforms}
        return {name: collection_spec(self._catalog.collections[name], reading=True) for name in names}

    @functools.cached_property
    def _request(self) -> wire.Validate:
        return derive_tasks.validate_request(self._derivation, self.collection, self._sources, None)


def _published(line: bytes) -> object | None:
    if not line.startswith(b'{"published"'):
        return None
    found = document.decode(line)
    value: Json = found.get("published", {}) if isinstance(found, dict) else {}
    return value.get("doc")
