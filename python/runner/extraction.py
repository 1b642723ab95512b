"""Keys and values of documents, cut out of their text: no value is decoded that need not be.

An `Extractor` looks only at the locations it was made for, and returns their JSON text as it stands in the document.
"""

from __future__ import annotations

import contextlib
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from python.protocol import document, pointer
from python.runner.ordering import KEY_DIGITS_MAX

__all__ = ["Extractor", "Place", "canonical_key"]

Place = tuple[str, bytes]
"""A JSON pointer, other than the root's, and the JSON text for documents that have nothing there."""

_UNWRITABLE = re.compile(r'[\\"\x00-\x1f]')  # in the name of a member, where the type of an object is to have it
_INDEX = re.compile(r"0|[1-9][0-9]{0,17}")
# Text that is the only way to write these parts of a key: no escapes, no fractions, no exponents.
_CANONICAL = re.compile(rb'\[(?:(?:"[^"\\]*"|-?[1-9][0-9]{0,999}|0|true|false|null)(?:,|(?=\])))*\]')

_OF_NATURALS = b"0123456789[],"  # in JSON, nothing can be written in two ways with these characters alone


class Extractor:
    """Cuts the values at `places` out of documents: call it with a document's text, and it returns their texts."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = [(pointer.parse(ptr), absent) for ptr, absent in places]
        named = any(_UNWRITABLE.search(token) for tokens, _ in self._places for token in tokens)
        self._layers = [] if named else [_layer(chosen) for chosen in _without_overlaps(self._places)]

    def __call__(self, doc: bytes) -> Sequence[bytes]:
        """Return the JSON texts at the places, in their order."""
        try:
            if len(self._layers) == 1:
                return self._layers[0](doc)
            if not self._layers:
                return [_found(doc, tokens, absent) for tokens, absent in self._places]
            found: dict[int, bytes] = {}
            for layer, places in zip(self._layers, _without_overlaps(self._places), strict=True):
                found.update(zip(places, layer(doc), strict=True))
            return [found[number] for number in range(len(self._places))]
        except msgspec.ValidationError:  # a list, or no object at all, on the way to a place
            return [_found(doc, tokens, absent) for tokens, absent in self._places]

    def texts(self, docs: Sequence[bytes]) -> list[Sequence[bytes]]:
        """Return, for each of `docs`, the JSON texts at the places, in their order."""
        if len(self._layers) == 1:
            with contextlib.suppress(msgspec.ValidationError):
                return list(map(self._layers[0], docs))
        return list(map(self, docs))

    def array(self, doc: bytes) -> bytes:
        """Return the JSON array of the values at the places."""
        return b"[" + b",".join(self(doc)) + b"]"

    def key(self, doc: bytes) -> bytes:
        """Return the JSON array of the values at the places, written in the one way that a key of theirs is written."""
        return canonical_key(b"[" + b",".join(self(doc)) + b"]")

    def keys(self, docs: Sequence[bytes]) -> list[bytes]:
        """Return the key of each of `docs`, as `key` does."""
        arrays = [b"[%b]" % text for text in map(b",".join, self.texts(docs))]
        if not b"".join(arrays).translate(None, _OF_NATURALS):
            return arrays
        canonical = _CANONICAL.fullmatch
        return [array if canonical(array) else canonical_key(array) for array in arrays]


def canonical_key(key: bytes) -> bytes:
    r"""Return the key in `key`, a JSON array of scalars: equal keys have equal text.

    >>> canonical_key(b'[1.0,"\\u0041",1e2]')
    b'[1,"A",100]'
    """
    if _CANONICAL.fullmatch(key):
        return key
    parts: list[Any] = document.decode(key)  # type: ignore[assignment] # it is an array
    return document.encode([_whole(part) for part in parts])


def _whole(part: object) -> object:
    if isinstance(part, Decimal) and part.adjusted() < KEY_DIGITS_MAX and part == part.to_integral_value():
        return int(part)
    return part


_Places = Mapping[int, tuple[tuple[str, ...], bytes]]
_Trie = dict[str, "tuple[int, bytes] | _Trie"]


def _without_overlaps(places: Sequence[tuple[tuple[str, ...], bytes]]) -> list[_Places]:
    """Return the places, by their numbers, in groups of which none has a place within another, or one twice."""
    groups: list[dict[int, tuple[tuple[str, ...], bytes]]] = [{}]
    for number, (tokens, absent) in enumerate(places):
        for group in groups:
            if not any(_overlap(tokens, other) for other, _ in group.values()):
                group[number] = (tokens, absent)
                break
        else:
            groups.append({number: (tokens, absent)})
    return [group for group in groups if group] or [{}]


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _layer(places: _Places) -> Callable[[bytes], Sequence[bytes]]:
    """Return what cuts out places that do not overlap: one pass of msgspec over the document."""
    if not places:
        return lambda _doc: []
    trie: _Trie = {}
    for number, (tokens, absent) in places.items():
        node = trie
        for token in tokens[:-1]:
            node = node.setdefault(token, {})  # type: ignore[assignment] # nothing overlaps
        node[tokens[-1]] = (number, absent)
    decode = msgspec.json.Decoder(_form(trie)).decode
    if all(len(tokens) == 1 for tokens, _ in places.values()):
        flat = msgspec.structs.astuple
        return lambda doc: flat(decode(doc))
    paths = dict(_paths(trie))
    names = [paths[number] for number in places]
    if len(names) == 1:
        only = operator.attrgetter(names[0])
        return lambda doc: [only(decode(doc))]
    every = operator.attrgetter(*names)
    return lambda doc: every(decode(doc))


def _form(trie: _Trie) -> type[msgspec.Struct]:
    """Return the type of objects that have, at the members of `trie`, texts or further such objects."""
    fields: list[Any] = []
    for index, (name, below) in enumerate(trie.items()):
        if isinstance(below, tuple):
            fields.append((f"f{index}", msgspec.Raw, msgspec.field(default=msgspec.Raw(below[1]), name=name)))
        else:
            form = _form(below)
            fields.append((f"f{index}", form, msgspec.field(default_factory=form, name=name)))
    return msgspec.defstruct("Places", fields, gc=False)


def _paths(trie: _Trie) -> Iterator[tuple[int, str]]:
    """Yield, for each place, its number and the attributes that lead to it."""
    for index, below in enumerate(trie.values()):
        if isinstance(below, tuple):
            yield below[0], f"f{index}"
        else:
            for number, path in _paths(below):
                yield number, f"f{index}.{path}"


def _found(doc: bytes, tokens: tuple[str, ...], absent: bytes) -> bytes:
    """Return the text at `tokens`, level by level."""
    text = doc.strip()
    for token in tokens:
        below: msgspec.Raw | None = None
        if text.startswith(b"{"):
            below = msgspec.json.decode(text, type=dict[str, msgspec.Raw]).get(token)
        elif text.startswith(b"[") and _INDEX.fullmatch(token):
            items = msgspec.json.decode(text, type=list[msgspec.Raw])
            below = items[int(token)] if int(token) < len(items) else None
        if below is None:
            return absent
        text = bytes(below)
    return text
