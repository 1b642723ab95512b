"""The transactions of an open materialization: what may overlap does, what may not waits, and memory is bounded."""

from __future__ import annotations

import contextlib
import gc
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec
import orjson

from python.materialize_requests import Load, Store
from python.materialize_transactor import Transactor
from python.protocol import document, packed
from python.protocol import materialize as wire
from python.protocol.errors import RemoteProtocolError
from python.protocol.flow import ConnectorState
from python.protocol.materialize import Acknowledged, Flushed, StartedCommit
from python.protocol.wire import FromConnector
from python.shell.serve import Response

__all__ = ["LOAD_BYTES_MAX", "Transactions"]

LOAD_BYTES_MAX = 4 * 1024 * 1024
"""Keys that wait while the transaction before is being committed; then the pipe holds the rest back."""

_LOADEDS = 64  # said at once: a run costs little more than a message, and each document may have a megabyte

_values = msgspec.json.Decoder(tuple[Any, ...], float_hook=document.number)
_rounded = msgspec.json.Decoder(list[tuple[Any, ...]])


class Transactions:
    """Feeds a transactor with the requests of its session; each method yields the responses to one, or to a run.

    `acknowledge` does not wait: `due` yields its answer once it is ready, and `wake` is called then, on another thread.
    """

    def __init__(self, transactor: Transactor, wake: Callable[[], None]) -> None:
        self._transactor = transactor
        self._aside = ThreadPoolExecutor(1, "headwater-commit")
        self._committed: Future[None] | None = None
        self._acknowledged: Future[ConnectorState | None] | None = None
        self._keys: list[Load] = []
        self._documents: list[Store] = []
        self._bytes = 0
        self._wake = wake
        gc.freeze()  # what there is now stays: collections amid the session look at its own documents alone

    def acknowledge(self, request: wire.Acknowledge) -> Iterator[Acknowledged]:
        """Begin to finish the transaction before, as soon as its commit has ended."""
        patches = _patches(request.state_patches)
        self._acknowledged = self._aside.submit(self._finished, self._committed, patches)
        self._acknowledged.add_done_callback(lambda _done: self._wake())
        return self.due()

    def due(self) -> Iterator[Acknowledged]:
        """Yield `Acknowledged` once the transaction before has been. Raises why it could not be, or not committed."""
        if self._committed is not None and self._committed.done():
            self._committed.result()
        if self._acknowledged is not None and self._acknowledged.done():
            yield from self._ended_before()

    def load(self, run: Sequence[wire.Load]) -> Iterable[Response]:
        """Take keys in."""
        keys, packed_keys = [load.key for load in run], [load.key_packed for load in run]
        self._keys += map(Load, [load.binding for load in run], _tuples(keys, packed_keys))
        self._bytes += sum(map(len, keys)) + sum(map(len, packed_keys))
        return self._loaded() if self._bytes >= LOAD_BYTES_MAX else ()

    def flush(self, request: wire.Flush) -> Iterator[Response]:
        """Load what is left, and end the loads."""
        del request
        yield from self._loaded()
        yield Flushed(state=self._transactor.flush())

    def store(self, run: Sequence[wire.Store]) -> Iterable[Response]:
        """Take documents in."""
        keys, values = [store.key for store in run], [store.values for store in run]
        packed_values = [store.values_packed for store in run]
        docs = [bytes(store.doc) for store in run]
        self._documents += map(
            Store,
            [store.binding for store in run],
            _tuples(keys, [store.key_packed for store in run]),
            _tuples(values, packed_values),
            docs,
            [store.exists or store.delete for store in run],
            [store.delete for store in run],
        )
        self._bytes += sum(sum(map(len, texts)) for texts in (keys, values, packed_values, docs))
        if self._bytes >= self._transactor.store_bytes_max:
            self._stored()
        return ()

    def start_commit(self, request: wire.StartCommit) -> Iterator[StartedCommit]:
        """Store what is left; the commit itself runs beside the loads of the next transaction."""
        self._stored()
        state = self._transactor.start_commit(request.runtime_checkpoint)
        self._committed = self._aside.submit(self._transactor.commit)
        self._committed.add_done_callback(lambda _done: self._wake())
        yield StartedCommit(state=state)

    def finish(self) -> None:
        """The session has ended at a boundary: what was begun is finished."""
        for begun in (self._committed, self._acknowledged):
            if begun is not None:
                begun.result()
        self._aside.shutdown()
        self._transactor.close()

    def _finished(self, committed: Future[None] | None, patches: Sequence[Any]) -> ConnectorState | None:
        """Acknowledge, unless the commit failed: there is nothing to acknowledge then."""
        if committed is not None:
            committed.result()
        return self._transactor.acknowledge(patches)

    def _ended_before(self) -> Iterator[Acknowledged]:
        """Wait for the end of the transaction before, unless that was told already."""
        if self._acknowledged is not None:
            state, self._acknowledged = self._acknowledged.result(), None
            yield Acknowledged(state=state)

    def _loaded(self) -> Iterator[Response]:
        yield from self._ended_before()
        keys, self._keys, self._bytes = self._keys, [], 0
        found: Iterator[FromConnector] = iter(self._transactor.load(keys) if keys else ())
        while run := list(itertools.islice(found, _LOADEDS)):
            yield run

    def _stored(self) -> None:
        documents, self._documents, self._bytes = self._documents, [], 0
        if documents:
            self._transactor.store(documents)


def _tuples(texts: Sequence[msgspec.Raw], packed_: Sequence[bytes]) -> list[tuple[Any, ...]]:
    """Return the values that one generation of the runtime sends as JSON and the other as packed tuples."""
    try:
        if all(texts) and not any(packed_):
            return _quickly(texts) or list(map(_values.decode, texts))
        return [
            packed.unpack(tuple_bytes) if tuple_bytes else _values.decode(text) if text else ()
            for text, tuple_bytes in zip(texts, packed_, strict=True)
        ]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(
            f"the key or the values of a document are no JSON array, or have a lone surrogate in text: {error}", rule=8
        ) from None


def _quickly(texts: Sequence[msgspec.Raw]) -> list[tuple[Any, ...]] | None:
    """Return the values of JSON arrays, read at once; None where something of a number may have been lost.

    Nothing was, if they are written back as they came. That costs half as much as to look at each number's text.
    """
    text = b"[%b]" % b",".join(texts)
    with contextlib.suppress(msgspec.DecodeError, orjson.JSONEncodeError):
        found = _rounded.decode(text)
        return found if orjson.dumps(found) == text and len(found) == len(texts) else None
    return None


def _patches(text: msgspec.Raw) -> list[Any]:
    return list(_values.decode(text)) if text else []
