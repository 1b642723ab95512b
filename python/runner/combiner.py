"""The documents of one transaction: checked, combined by key, and ready to be committed or printed.

Documents arrive in checkpoint sequences. Those of a sequence that has no checkpoint yet are kept apart from the
complete ones: a connector that dies half-way loses nothing but its half.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from python.protocol import document, pointer
from python.protocol.errors import RemoteProtocolError
from python.protocol.flow import UUID_PLACEHOLDER
from python.runner.collector import Collector, ViolationError
from python.runner.reduction import ReductionError

__all__ = ["Collector", "Combined", "Combiner", "ViolationError", "in_key_order", "with_uuid_placeholder"]

Combined = dict[str, bytes]
"""Documents as JSON text by their packed key (see `ordering.pack_key`)."""

_ENTRY_BYTES = 300
"""What a document takes in memory beside its text: objects for text and key, and their entry in a dictionary."""


class Combiner:
    """The documents of a transaction, by binding and key.

    `bytes_used` is about what they take in memory, complete or not.
    """

    def __init__(self, collectors: Sequence[Collector]) -> None:
        self._collectors = collectors
        self._complete: list[Combined] = [{} for _ in collectors]
        self._current: list[Combined] = [{} for _ in collectors]
        self._complete_bytes = 0
        self._current_bytes = 0

    @property
    def bytes_used(self) -> int:
        """How much memory the documents take, in bytes, roughly."""
        return self._complete_bytes + self._current_bytes

    def add(self, binding: int, doc: msgspec.Raw | bytes) -> None:
        """Take `doc` into the current sequence. Raises ViolationError or ReductionError, and then has not taken it."""
        if not 0 <= binding < len(self._collectors):
            raise RemoteProtocolError(
                f"a document has binding {binding}, but the task has {len(self._collectors)} bindings", rule=11
            )
        collector = self._collectors[binding]
        try:
            key = collector.key(doc)
        except ViolationError as error:
            raise ViolationError(f"binding {binding}, {error}") from None
        text = bytes(doc)
        current = self._current[binding]
        older = current.get(key)
        if older is None:
            self._current_bytes += len(text) + _ENTRY_BYTES
        else:
            text = self._reduced(binding, older, text)
            self._current_bytes += len(text) - len(older)
        current[key] = text

    def checkpoint(self) -> None:
        """The current sequence is complete: its documents are part of what `take` returns."""
        for binding, (complete, current) in enumerate(zip(self._complete, self._current, strict=True)):
            if not complete:
                self._complete[binding] = current
            elif current:
                self._combine(binding, complete, current)
        self._complete_bytes += self._current_bytes
        self._forget_current()

    def take(self) -> list[Combined]:
        """Return the complete documents of each binding, and forget them. The current sequence stays."""
        taken = self._complete
        self._complete = [{} for _ in self._collectors]
        self._complete_bytes = 0
        return taken

    def take_current(self) -> list[Combined]:
        """Return what the current sequence has so far, and forget it: it has grown too large to be kept."""
        taken = self._current
        self._forget_current()
        return taken

    def _forget_current(self) -> None:
        self._current = [{} for _ in self._collectors]
        self._current_bytes = 0

    def _combine(self, binding: int, complete: Combined, current: Combined) -> None:
        for key in complete.keys() & current.keys():
            older = complete[key]
            combined = self._reduced(binding, older, current[key])
            self._current_bytes -= len(older) + len(current[key]) - len(combined) + _ENTRY_BYTES
            current[key] = combined
        complete.update(current)

    def _reduced(self, binding: int, older: bytes, newer: bytes) -> bytes:
        try:
            return self._collectors[binding].combine(older, newer)
        except ReductionError as error:
            raise ReductionError(at=error.at, problem=error.problem, of=f"binding {binding}, {error.of}") from None


def in_key_order(combined: Mapping[str, bytes]) -> Iterator[bytes]:
    """Yield the documents in the order of their keys, as Flow's combiner does."""
    for key in sorted(combined):
        yield combined[key]


def with_uuid_placeholder(text: bytes, uuid_ptr: str) -> bytes:
    """Return the document with Flow's UUID placeholder at `uuid_ptr`, as the runtime shows it before publishing.

    Objects on the way there are created; an empty `uuid_ptr` changes nothing.
    """
    tokens = pointer.parse(uuid_ptr)
    if not tokens:
        return text
    value = document.decode(text)
    place = value
    for token in tokens[:-1]:
        place = place.setdefault(token, {}) if isinstance(place, dict) else place
    if isinstance(place, dict):
        place[tokens[-1]] = UUID_PLACEHOLDER
    return document.encode(value)
