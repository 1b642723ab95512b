"""One binding of a materialization, compiled: documents to loads and stores, as lines of the protocol.

Text is cut out of text; a document is decoded only where its schema has reductions, or where it has to be checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from python.protocol.errors import RemoteProtocolError
from python.protocol.flow import CollectionSpec, MaterializationBinding, RangeSpec
from python.protocol.projection import Projection
from python.protocol.state_key import key_hash
from python.runner.collector import Collector
from python.runner.extraction import Extractor
from python.runner.journal import Row, time_of
from python.runner.truncation import Truncation, truncation_of

__all__ = ["Stored", "reading_collector"]

_NULL = b"null"
_UUID_PTR = "/_meta/uuid"
_TRUNCATED_PTR = "/_meta/flow_truncated"
_Text = Callable[[bytes, int, bytes], bytes]
"""Of what is sent of a document, the clock of its commit, and whether something is cut off: true or false, as JSON."""


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
        self._key = Extractor([(projection.ptr, _default(projection)) for projection in keys]).key
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
        key_of, documents, collector = self._key, self._documents, self._collector
        fresh: list[bytes] = []
        self.taken += len(rows)
        for _, clock, doc in rows:
            key = key_of(doc)
            if self._owned is not None and not self._owned.owns(key_hash(key.decode())):
                self.taken -= 1
                continue
            if self._checks:
                collector.key(doc)
            older = documents.get(key)
            if older is None:
                fresh.append(key)
                documents[key] = doc, clock
            else:
                documents[key] = collector.combine(older[0], doc), clock
        if self._delta:
            return []
        if self._largest is not None:
            fresh = [key for key in fresh if (len(key), key) <= self._largest]
        return [b'{"load":{"binding":%d,"key":%b}}\n' % (self._index, key) for key in fresh]

    def loaded(self, doc: bytes) -> None:
        """The endpoint has `doc`. Raises RemoteProtocolError where that was not asked for (rule 73)."""
        key = self._key(doc)
        if key not in self._documents or self._delta:
            raise RemoteProtocolError(
                f"{self.name}: a document with the key {key.decode()} was loaded unasked", rule=73
            )
        if key in self._loaded:
            raise RemoteProtocolError(f"{self.name}: the key {key.decode()} was loaded twice", rule=73)
        self._loaded[key] = doc

    def stores(self) -> Iterator[bytes]:
        """Yield a store, as a line, for each document of the transaction, reduced into what was loaded."""
        documents, self._documents = self._documents, {}
        loaded, self._loaded = self._loaded, {}
        self.taken = 0
        if self._largest is not None:
            self._largest = max([self._largest, *((len(key), key) for key in documents)])
        begin = b'{"store":{"binding":%d,"key":' % self._index
        reduces = self._collector.plan is not None and not self._delta
        values, truncation = self._values, self._truncation
        for key, (doc, clock) in documents.items():
            older = loaded.get(key)
            end = b"}}\n" if older is None else b',"exists":true}}\n'
            if reduces:
                reduced = self._collector.reduce(older, doc)
                if reduced is None and older is None:
                    continue  # gone before it was ever there
                if reduced is None and older is not None:
                    reduced, end = self._collector.combine(older, doc), b',"exists":true,"delete":true}}\n'
                doc = reduced or doc  # noqa: PLW2901 -- from here on, it is what is stored
            sent = doc if truncation is None else truncation.document(doc)
            whole = b',"doc":' + sent if self._whole else b""
            yield b"%b%b%b%b%b%b" % (begin, key, b',"values":', values(doc, sent, clock), whole, end)


def reading_collector(collection: CollectionSpec) -> Collector:
    """Return the collection as its readers see it: reduced, and checked, by the read schema. Raises SchemaError."""
    schema = collection.read_schema or collection.write_schema
    return Collector(msgspec.structs.replace(collection, write_schema=schema))


def _default(projection: Projection) -> bytes:
    """The text of a value that is not there: null, unless the schema has a default."""
    inference = projection.inference
    return bytes(inference.default) if inference is not None and inference.default else _NULL


def _values(projections: Sequence[Projection], truncation: Truncation | None) -> Callable[[bytes, bytes, int], bytes]:
    """Return what makes the JSON array of values: of a document, of what is sent of it, and the clock of its commit."""
    made = {number: text for number, projection in enumerate(projections) if (text := _made(projection)) is not None}
    cut = Extractor(
        [(projection.ptr, _default(projection)) for number, projection in enumerate(projections) if number not in made]
    )
    if not made and truncation is None:
        return lambda doc, _sent, _clock: cut.array(doc)

    def values(doc: bytes, sent: bytes, clock: int) -> bytes:
        texts = list(cut(doc))
        if sent is not doc and truncation is not None:
            texts = [truncation.value(text) for text in texts]
        for number, text in made.items():  # in order: each place is right once those before it are filled
            texts.insert(number, text(sent, clock, b"false" if sent is doc else b"true"))
        return b"[" + b",".join(texts) + b"]"

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
