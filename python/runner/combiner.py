"""The documents of one transaction: checked, combined by key, and ready to be committed or printed.

Documents arrive in checkpoint sequences. Those of a sequence that has no checkpoint yet are kept apart, and can be
discarded without touching the complete ones: a connector that dies half-way loses nothing but its half.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsonschema_rs
import msgspec

from python.protocol import document, pointer
from python.protocol.errors import HeadwaterError, RemoteProtocolError
from python.protocol.flow import UUID_PLACEHOLDER, CollectionSpec
from python.protocol.pointer import MISSING
from python.runner.reducers import ReductionError, sort_key
from python.runner.reducing import DELETED, Plan, plan_of

__all__ = ["Collector", "Combiner", "ViolationError"]

_decode = msgspec.json.Decoder().decode
_KEY_TYPES = (int, str, bool, type(None))
_SHOWN_CHARACTERS_MAX = 200
Combined = dict[bytes, bytes]
"""Documents as JSON text by their key, a JSON array as text."""


class ViolationError(HeadwaterError):
    """A document does not satisfy its collection's schema (rule 50), or has no usable key (rule 51)."""


class Collector:
    """What one collection asks of its documents: key, write schema and reductions, compiled once."""

    def __init__(self, spec: CollectionSpec) -> None:
        schema = _decode(spec.write_schema)
        self.name = spec.name
        self.plan: Plan | None = plan_of(schema)
        self._keys = [pointer.parse(key) for key in spec.key]
        self._single = self._keys[0][0] if len(self._keys) == 1 and len(self._keys[0]) == 1 else None
        self._schema = jsonschema_rs.validator_for(schema, validate_formats=True)

    def key(self, doc: msgspec.Raw) -> bytes:
        """Return the key of `doc`, which satisfies its schema. Raises ViolationError saying what is wrong."""
        value = self._value(doc)
        if not self._schema.is_valid(value):
            raise self._violation(value)
        meta = value.get("_meta", MISSING)
        if meta is not MISSING and (not isinstance(meta, dict) or "uuid" in meta):
            raise RemoteProtocolError(
                f"{self.name}: a document's `_meta` is {document.encode(meta)[:80]!r}; "
                "it has to be an object, and its `uuid` is the runtime's",
                rule=52,
            )
        if self._single is not None:
            part = value.get(self._single, MISSING)
            if type(part) is int:
                return b"[%d]" % part
            parts = [part]
        else:
            parts = [pointer.resolve(value, key) for key in self._keys]
        if not all(isinstance(part, _KEY_TYPES) for part in parts):
            raise self._bad_key(parts)
        return document.encode(parts)

    def reduce(self, older: bytes | None, newer: bytes) -> bytes | None:
        """Return the document that `newer` makes of `older` (None: there is none), or None where it is deleted."""
        if self.plan is None:
            return newer
        after = _decode(newer) if older is None else document.decode(newer)
        try:
            reduced = self.plan.reduce(MISSING if older is None else document.decode(older), after)
        except ReductionError as error:
            raise ReductionError(f"{self.name}: {error}") from None
        if reduced is DELETED:
            return None
        return newer if reduced is after else document.encode(reduced)

    def combine(self, older: bytes, newer: bytes) -> bytes:
        """Return the one document that stands for both within a transaction. A deletion stays, as a document."""
        if self.plan is None:
            return newer
        return self.reduce(older, newer) or newer

    def _value(self, doc: msgspec.Raw) -> dict[str, Any]:
        value = _decode(doc)
        if not isinstance(value, dict):
            raise RemoteProtocolError(f"{self.name}: a document is {bytes(doc)[:80]!r}, not an object", rule=50)
        return value

    def _violation(self, value: dict[str, Any]) -> ViolationError:
        error = next(iter(self._schema.iter_errors(value)))
        at = pointer.join(error.instance_path)
        rule = error.schema_path[-1] if error.schema_path else "false"
        problem = error.message if len(error.message) <= _SHOWN_CHARACTERS_MAX else error.message[:200] + "…"
        key = document.encode([None if part is MISSING else part for part in self._parts(value)]).decode()
        return ViolationError(
            f"{self.name}: the document with key {key} violates the write schema at {at or '/'}: "
            f"{problem} (keyword `{rule}`, rule 50); mend the source, or the collection's schema"
        )

    def _parts(self, value: dict[str, Any]) -> list[Any]:
        return [pointer.resolve(value, key) for key in self._keys]

    def _bad_key(self, parts: list[Any]) -> ViolationError:
        at, part = next(
            (pointer.join(key), part)
            for key, part in zip(self._keys, parts, strict=True)
            if not isinstance(part, _KEY_TYPES)
        )
        return ViolationError(
            f"{self.name}: a document's key {at} is {part!r}; an integer, a string or a boolean is wanted (rule 51)"
        )


class Combiner:
    """The documents of a transaction, by binding and key. `bytes_used` counts their text, complete or not."""

    def __init__(self, collectors: Sequence[Collector]) -> None:
        self._collectors = collectors
        self._complete: list[Combined] = [{} for _ in collectors]
        self._current: list[Combined] = [{} for _ in collectors]
        self.bytes_used = 0
        self.documents = 0

    def add(self, binding: int, doc: msgspec.Raw) -> None:
        """Take `doc` into the current sequence. Raises ViolationError, and then has not taken it."""
        collector = self._collectors[binding]
        try:
            key = collector.key(doc)
        except HeadwaterError as error:
            raise type(error)(f"binding {binding}, {error}") from None
        text = bytes(doc)
        current = self._current[binding]
        if collector.plan is not None and key in current:
            text = collector.combine(current[key], text)
        current[key] = text
        self.bytes_used += len(text)
        self.documents += 1

    def checkpoint(self) -> None:
        """The current sequence is complete."""
        for binding, (complete, current) in enumerate(zip(self._complete, self._current, strict=True)):
            if not current:
                continue
            if not complete:
                self._complete[binding] = current
            elif self._collectors[binding].plan is None:
                complete.update(current)
            else:
                self._combine(binding, complete, current)
            self._current[binding] = {}

    def take(self) -> list[Combined]:
        """Return the complete documents of each binding, and forget them. The current sequence stays."""
        taken = self._complete
        self._complete = [{} for _ in self._collectors]
        self._recount()
        return taken

    def take_current(self) -> list[Combined]:
        """Return what the current sequence has so far, and forget it: it has grown too large to be kept."""
        taken = self._current
        self._current = [{} for _ in self._collectors]
        self._recount()
        return taken

    def _combine(self, binding: int, complete: Combined, current: Combined) -> None:
        combine = self._collectors[binding].combine
        for key, text in current.items():
            complete[key] = combine(complete[key], text) if key in complete else text

    def _recount(self) -> None:
        kept = [text for combined in (*self._complete, *self._current) for text in combined.values()]
        self.bytes_used, self.documents = sum(map(len, kept)), len(kept)


def in_key_order(combined: Mapping[bytes, bytes]) -> Iterator[bytes]:
    """Yield the documents in the order of their keys, as Flow's combiner does."""

    def order(key: bytes) -> list[tuple[int, Any]]:
        return [sort_key(part) for part in _decode(key)]

    for key in sorted(combined, key=order):
        yield combined[key]


def with_uuid_placeholder(text: bytes, uuid_ptr: str) -> bytes:
    """Return the document with Flow's UUID placeholder at `uuid_ptr`, as the runtime shows it before publishing."""
    value = document.decode(text)
    *parents, name = pointer.parse(uuid_ptr)
    place: Any = value
    for parent in parents:
        place = place.setdefault(parent, {})
    place[name] = UUID_PLACEHOLDER
    return document.encode(value)
