"""One binding of a materialization, compiled: documents to loads and stores, as lines of the protocol.

Text is cut out of text; a document is decoded only where its schema has reductions, or where it has to be checked.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from python.protocol.errors import RemoteProtocolError
from python.protocol.flow import CollectionSpec, MaterializationBinding, RangeSpec
from python.protocol.projection import Projection
from python.protocol.state_key import key_hash
from python.runner.collector import Collector
from python.runner.extraction import Extractor
from python.runner.journal import Row, time_of
from python.runner.truncation import Truncation, truncation_of

__all__ = ["LINES", "Stored", "reading_collector"]

LINES = 1_000
"""Documents at a time: the connector works on them while the next are made."""

_NULL = b"null"
_UUID_PTR = "/_meta/uuid"
_TRUNCATED_PTR = "/_meta/flow_truncated"
_Text = Callable[[bytes, int, bytes], bytes]
"""Of what is sent of a document, the clock of its commit, and whether something is cut off: true or false, as JSON."""
_Values = Callable[[Sequence[bytes], Sequence[bytes], Sequence[int]], Sequence[bytes]]
"""Values as they stand in a JSON array: of documents, of what is sent of them, and of the clocks of their commits."""
_Settled = tuple[bytes, bytes, int, bytes]
"""What is stored: a key, its document, the clock of its commit, and the end of its line."""
_NEW, _EXISTS, _DELETED = b"}}\n", b',"exists":true}}\n', b',"exists":true,"delete":true}}\n'


class Stored:
    """A binding within one transaction after the other.

    `combine` takes documents in and gives the loads to ask for; `loaded` takes what the endpoint has; `stores` gives
    what to store, and forgets the transaction. Only keys whose hash is in `owned` are this shard's.
    """

    def __init__(self, index: int, binding: MaterializationBinding, owned: RangeSpec | None = None) -> None:
        """Compile `binding`, the one with that index. Raises SchemaError. `owned` is None where there is one shard."""
        self._index = index
        self._delta = binding.delta_updates
        self._owned = owned
        self._collector = reading_collector(binding.collection)
        self._checks = bool(binding.collection.read_schema)
        projections = {projection.field: projection for projection in binding.collection.projections}
        keys = [projections[field] for field in binding.field_selection.keys]
        self._keys = Extractor([(projection.ptr, _default(projection)) for projection in keys]).keys
        self._truncation = truncation_of(binding.ser_policy, [projection.ptr for projection in keys])
        self._values = _values([projections[field] for field in binding.field_selection.values], self._truncation)
        self._whole = bool(binding.field_selection.document)
        self._documents: dict[bytes, tuple[bytes, int]] = {}
        self._loaded: dict[bytes, bytes] = {}
        self._largest: tuple[int, bytes] | None = None
        self.taken = 0
        """Documents of this shard's that the transaction has taken in."""

    @property
    def name(self) -> str:
        """The collection's name."""
        return self._collector.name

    def begin_empty(self) -> None:
        """Nothing of this binding was ever stored: keys beyond the largest one that is stored from now on are new.

        They are not loaded. Any order of keys serves: by length, then by text, numbers are in their own.
        """
        self._largest = (0, b"")

    def combine(self, rows: Sequence[Row]) -> list[bytes]:
        """Take documents into the transaction, and return a load, as a line, for each key of it that may be stored.

        Raises ViolationError for a document that is not valid by the read schema, and ReductionError.
        """
        documents, collector, owned = self._documents, self._collector, self._owned
        keys = self._keys([doc for _, _, doc in rows])
        if owned is not None:
            mine = [owned.owns(key_hash(key.decode())) for key in keys]
            rows, keys = list(itertools.compress(rows, mine)), list(itertools.compress(keys, mine))
        self.taken += len(rows)
        if self._checks:
            for _, _, doc in rows:
                collector.key(doc)
        fresh: list[bytes] = []
        for key, (_, clock, doc) in zip(keys, rows, strict=True):
            older = documents.get(key)
            if older is None:
                fresh.append(key)
                documents[key] = doc, clock
            else:
                documents[key] = collector.combine(older[0], doc), clock
        if self._delta:
            return []
        if self._largest is not None:
            largest = self._largest
            fresh = [key for key in fresh if (len(key), key) <= largest]
        load = b'{"load":{"binding":%d,"key":' % self._index
        return [b"%b%b}}\n" % (load, key) for key in fresh]

    def loaded(self, docs: Sequence[bytes]) -> None:
        """The endpoint has `docs`. Raises RemoteProtocolError where one was not asked for (rule 73)."""
        for key, doc in zip(self._keys(docs), docs, strict=True):
            if key not in self._documents or self._delta:
                raise RemoteProtocolError(
                    f"{self.name}: a document with the key {key.decode()} was loaded unasked", rule=73
                )
            if key in self._loaded:
                raise RemoteProtocolError(f"{self.name}: the key {key.decode()} was loaded twice", rule=73)
            self._loaded[key] = doc

    def stores(self) -> Iterator[list[bytes]]:
        """Yield a store, as a line, for each document of the transaction, reduced into what was loaded.

        They come some at a time: the connector works on them while the next are made.
        """
        documents, self._documents = self._documents, {}
        loaded, self._loaded = self._loaded, {}
        self.taken = 0
        if self._largest is not None:
            self._largest = max([self._largest, *((len(key), key) for key in documents)])
        reduces = self._collector.plan is not None and not self._delta
        settled = self._reduced(documents, loaded) if reduces else _replaced(documents, loaded)
        while some := list(itertools.islice(settled, LINES)):
            yield self._lines(some)

    def _reduced(
        self, documents: Mapping[bytes, tuple[bytes, int]], loaded: Mapping[bytes, bytes]
    ) -> Iterator[_Settled]:
        """Yield what the schema's reductions make of what was loaded and the documents that have come."""
        for key, (doc, clock) in documents.items():
            older = loaded.get(key)
            reduced = self._collector.reduce(older, doc)
            if reduced is not None:
                yield key, reduced, clock, _NEW if older is None else _EXISTS
            elif older is not None:
                yield key, self._collector.combine(older, doc), clock, _DELETED
            # else it is gone before it was ever there

    def _lines(self, settled: Sequence[_Settled]) -> list[bytes]:
        keys, docs, clocks, ends = zip(*settled, strict=True)
        sent = docs if self._truncation is None else list(map(self._truncation.document, docs))
        values = self._values(docs, sent, clocks)
        store = b'{"store":{"binding":%d' % self._index
        if self._whole:
            line = store + b',"key":%b,"values":[%b],"doc":%b%b'
            return [line % each for each in zip(keys, values, sent, ends, strict=True)]
        line = store + b',"key":%b,"values":[%b]%b'
        return [line % each for each in zip(keys, values, ends, strict=True)]


def _replaced(documents: Mapping[bytes, tuple[bytes, int]], loaded: Mapping[bytes, bytes]) -> Iterator[_Settled]:
    """Yield the documents that have come: without reductions they take the place of what was loaded."""
    for key, (doc, clock) in documents.items():
        yield key, doc, clock, _EXISTS if key in loaded else _NEW


def reading_collector(collection: CollectionSpec) -> Collector:
    """Return the collection as its readers see it: reduced, and checked, by the read schema. Raises SchemaError."""
    schema = collection.read_schema or collection.write_schema
    return Collector(msgspec.structs.replace(collection, write_schema=schema))


def _default(projection: Projection) -> bytes:
    """The text of a value that is not there: null, unless the schema has a default."""
    inference = projection.inference
    return bytes(inference.default) if inference is not None and inference.default else _NULL


def _values(projections: Sequence[Projection], truncation: Truncation | None) -> _Values:
    made = {number: text for number, projection in enumerate(projections) if (text := _made(projection)) is not None}
    cut = Extractor(
        [(projection.ptr, _default(projection)) for number, projection in enumerate(projections) if number not in made]
    )

    def values(docs: Sequence[bytes], sent: Sequence[bytes], clocks: Sequence[int]) -> list[bytes]:
        texts = cut.texts(docs)
        if made or truncation is not None:
            texts = list(map(with_made, texts, docs, sent, clocks))
        return list(map(b",".join, texts))

    def with_made(texts: Sequence[bytes], doc: bytes, sent: bytes, clock: int) -> Sequence[bytes]:
        texts = list(texts)
        if sent is not doc and truncation is not None:
            texts = [truncation.value(text) for text in texts]
        for number, text in made.items():  # in order: each place is right once those before it are filled
            texts.insert(number, text(sent, clock, b"false" if sent is doc else b"true"))
        return texts

    return values


def _made(projection: Projection) -> _Text | None:
    """Return what makes the value of a projection that is no location of the document; None for one that is."""
    if not projection.ptr:
        return lambda sent, _clock, _cut: sent
    if projection.ptr == _UUID_PTR and _is_time(projection):
        return _Published()
    if projection.ptr == _TRUNCATED_PTR:
        return lambda _sent, _clock, cut: cut
    return None


def _is_time(projection: Projection) -> bool:
    strings = projection.inference.string if projection.inference else None
    return strings is not None and strings.format == "date-time"


class _Published:
    """The time of a commit, as JSON text. Documents come commit by commit: the last one is kept."""

    def __init__(self) -> None:
        self._clock = -1
        self._text = b""

    def __call__(self, _sent: bytes, clock: int, _cut: bytes) -> bytes:
        if clock != self._clock:
            self._clock = clock
            self._text = b'"%b"' % time_of(clock).isoformat().replace("+00:00", "Z").encode()
        return self._text
