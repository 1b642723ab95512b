"""What one collection asks of its documents: its key, its write schema and its reductions, compiled once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from python.protocol import document, pointer
from python.protocol.errors import DocumentError, RemoteProtocolError
from python.protocol.flow import CollectionSpec
from python.protocol.pointer import MISSING
from python.runner.ordering import KEY_DIGITS_MAX, KeyPart, pack_key
from python.runner.reduction import DELETED, Plan, ReductionError, plan_of
from python.runner.validate import Validator

__all__ = ["Collector", "ViolationError"]

_decode = msgspec.json.Decoder().decode
_PART_TYPES = (int, str, bool, type(None))
_SHOWN_BYTES_MAX = 100


class ViolationError(RemoteProtocolError):
    """A document is not what its collection asks for: schema (rule 50), key (rule 51) or `_meta` (rule 52)."""


class Collector:
    """A collection as the combiner and the store see it."""

    def __init__(self, spec: CollectionSpec) -> None:
        """Compile `spec`. Raises SchemaError for a write schema that is malformed, or that reduces the key."""
        schema = document.decode(spec.write_schema)
        self.name = spec.name
        self.plan: Plan | None = plan_of(schema, spec.key)  # type: ignore[arg-type] # compiling tells what is no schema
        self._validator = Validator(schema)  # type: ignore[arg-type] # same
        self._is_valid: Callable[[object], bool] = self._validator.is_valid
        self._keys = [pointer.parse(key) for key in spec.key]
        self._simple_keys = tuple(key[0] for key in self._keys) if all(len(key) == 1 for key in self._keys) else None

    def key(self, doc: msgspec.Raw | bytes) -> str:
        """Return the packed key of `doc`, which is then a document of this collection (see `ordering.pack_key`).

        Raises ViolationError saying what is wrong with it.
        """
        value = self._value(doc)
        if not self._is_valid(value):
            raise self._violation(value)
        if "_meta" in value:
            meta = value["_meta"]
            if type(meta) is not dict or "uuid" in meta:
                raise self._bad_meta(value)
        if self._simple_keys is not None:
            parts = [value.get(name, MISSING) for name in self._simple_keys]
        else:
            parts = [pointer.resolve(value, key) for key in self._keys]
        try:
            return pack_key(parts)  # type: ignore[arg-type] # a part of another type is a KeyError, and told below
        except (KeyError, ValueError):
            return pack_key(self._whole(doc))

    def combine(self, older: bytes, newer: bytes) -> bytes:
        """Return one document for both, which reduces into what comes before as they would, one after the other."""
        if self.plan is None:
            return newer
        after = document.decode(newer)
        combined = self._reduce(document.decode(older), after, full=False)
        return newer if combined is after else document.encode(combined)

    def reduce(self, older: bytes | None, newer: bytes) -> bytes | None:
        """Return the document that `newer` makes of the stored one (None: there is none), or None where it is deleted.

        Returns `newer` itself where that is the result.
        """
        plan = self.plan
        if plan is None or (older is None and not plan.prunes):
            return newer
        if older is None:
            # Decimals are slow to make, and nearly every document stays as it is.
            after = self._value(newer)
            if self._reduce(MISSING, after, full=True) is after:
                return newer
        exact = document.decode(newer)
        reduced = self._reduce(MISSING if older is None else document.decode(older), exact, full=True)
        if reduced is DELETED:
            return None
        return newer if reduced is exact else document.encode(reduced)

    def _reduce(self, older: object, newer: object, *, full: bool) -> object:
        assert self.plan is not None, "without a plan, the newer document wins"  # noqa: S101 -- our own code alone can break it
        try:
            return self.plan.reduce(older, newer, full=full)
        except ReductionError as error:
            problem = f"{error.problem}; {self._called(newer)}"
            raise ReductionError(at=error.at, problem=problem, of=self.name) from None

    def _value(self, doc: msgspec.Raw | bytes) -> dict[str, object]:
        try:
            value: object = _decode(doc)
        except (msgspec.DecodeError, UnicodeDecodeError):
            value = self._exact(doc)
        if not isinstance(value, dict):
            shown = bytes(doc)[:_SHOWN_BYTES_MAX].decode(errors="replace")
            raise ViolationError(f"{self.name}: a document is {shown}; it has to be an object", rule=50)
        return value

    def _exact(self, doc: msgspec.Raw | bytes) -> object:
        """Decode what has numbers beyond a float's range, or is no JSON at all."""
        try:
            return document.decode(doc)
        except (DocumentError, UnicodeDecodeError) as error:
            raise ViolationError(f"{self.name}: a document is no JSON: {error}", rule=50) from None

    def _whole(self, doc: msgspec.Raw | bytes) -> list[KeyPart]:
        """Return the key of `doc` with numbers like `1.0` as integers. Raises ViolationError for what is no key."""
        value = document.decode(doc)
        parts = [_whole_number(pointer.resolve(value, key)) for key in self._keys]
        for key, part in zip(self._keys, parts, strict=True):
            if not isinstance(part, _PART_TYPES):
                came = "is missing" if part is MISSING else f"is {_shown(part)}"
                raise ViolationError(
                    f"{self.name}: the key {pointer.join(key)} of a document {came}; an integer of at most "
                    f"{KEY_DIGITS_MAX} digits, a string or a boolean is wanted; the document is {_shown(value)}",
                    rule=51,
                )
        return parts  # type: ignore[return-value] # the loop above leaves no other type

    def _violation(self, value: object) -> ViolationError:
        violation = self._validator.violation(value)
        return ViolationError(
            f"{self.name}: {self._called(value)} violates the write schema at {violation}; mend the source, or the "
            "collection's schema",
            rule=50,
        )

    def _bad_meta(self, value: dict[str, object]) -> ViolationError:
        return ViolationError(
            f"{self.name}: {self._called(value)} has `_meta` {_shown(value['_meta'])}; it has to be an object "
            "without `uuid`, which the runtime sets",
            rule=52,
        )

    def _called(self, value: object) -> str:
        """How a document is named for people: by its key, as a JSON array."""
        parts = [pointer.resolve(value, key) for key in self._keys]
        return f"the document with key {_shown([None if part is MISSING else part for part in parts])}"


def _whole_number(part: object) -> object:
    """Return a number without a fraction as an integer, and an integer that is too long for a key as a decimal."""
    if isinstance(part, Decimal) and part.adjusted() < KEY_DIGITS_MAX and part == part.to_integral_value():
        return int(part)
    if isinstance(part, int) and abs(part) >= 10**KEY_DIGITS_MAX:
        return Decimal(part).normalize()
    return part


def _shown(value: object) -> str:
    text = document.encode(value).decode()
    return text if len(text) <= _SHOWN_BYTES_MAX else text[:_SHOWN_BYTES_MAX] + "…"
