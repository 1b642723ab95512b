"""Documents as a test wants them, held against those that a collection has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from python.protocol import document, pointer
from python.protocol.pointer import MISSING
from python.runner.collector import Collector
from python.runner.combiner import Combined
from python.runner.ordering import pack_key

__all__ = ["Wanted", "contents", "differences"]

_SHOWN_CHARACTERS_MAX = 300


class Wanted:
    """A document of a `verify` step: properties that the document with its key has, among others.

    `key` is packed; None where the document does not have all of it, or where it is none.
    """

    def __init__(self, doc: object, key: Sequence[str]) -> None:
        self.doc = document.decode(document.encode(doc))
        self.parts = [pointer.resolve(self.doc, pointer.parse(ptr)) for ptr in key]
        try:
            self.key: str | None = pack_key(self.parts)  # type: ignore[arg-type] # what is no part is a KeyError
        except (KeyError, ValueError):
            self.key = None


def contents(collector: Collector, documents: Iterable[bytes]) -> Combined:
    """Return what `documents`, in their order, make of a collection: each key's reduced document, in key order.

    Raises ViolationError for one that is invalid, and ReductionError.
    """
    found: Combined = {}
    for doc in documents:
        key = collector.key(doc)
        reduced = collector.reduce(found.get(key), doc)
        if reduced is None:
            found.pop(key, None)
        else:
            found[key] = reduced
    return dict(sorted(found.items()))


def differences(wanted: Sequence[Wanted], found: Combined, key: Sequence[str]) -> Iterator[str]:
    """Yield how `found`, which is in the order of the collection's `key`, is not as `wanted`: a line for each place.

    Documents are told apart by their keys; by their places, where one that is wanted does not have its key.
    """
    by_key = all(want.key is not None for want in wanted)
    wants: dict[object, Wanted] = {want.key if by_key else number: want for number, want in enumerate(wanted)}
    docs: dict[object, object] = {
        name if by_key else number: document.decode(doc) for number, (name, doc) in enumerate(found.items())
    }
    for name, want in wants.items():
        if name not in docs:
            yield f"{_called(want.doc, key)} is missing: want {_shown(want.doc)}"
            continue
        for at, expected, got in _unequal(want.doc, docs[name], ()):
            yield f"{_called(docs[name], key)} {pointer.join(at) or '/'}: want {_shown(expected)}, got {_shown(got)}"
    for name, doc in docs.items():
        if name not in wants:
            yield f"{_called(doc, key)} is not expected: got {_shown(doc)}"


def _unequal(
    want: object, got: object, at: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], object, object]]:
    """Yield each place of `want` at which `got` has something else. Arrays have the same length."""
    if isinstance(want, Mapping) and isinstance(got, Mapping):
        for name, value in want.items():
            yield from _unequal(value, got.get(name, MISSING), (*at, name))
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for index, (value, other) in enumerate(zip(want, got, strict=True)):
            yield from _unequal(value, other, (*at, index))
    elif isinstance(want, bool) or isinstance(got, bool):
        if want is not got:
            yield at, want, got
    elif want != got:
        yield at, want, got


def _called(doc: object, key: Sequence[str]) -> str:
    """How a document is named for people: by its key, as a JSON array."""
    parts = [pointer.resolve(doc, pointer.parse(ptr)) for ptr in key]
    return _shown([None if part is MISSING else part for part in parts])


def _shown(value: object) -> str:
    if value is MISSING:
        return "nothing"
    text = document.encode(value).decode()
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else f"{text[:_SHOWN_CHARACTERS_MAX]}…"
