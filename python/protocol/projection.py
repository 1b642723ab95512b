"""Projections: the named locations of a collection's documents, and what a schema says of each.

Protocol reference, section 2.3. `flow` offers `Inference` and `Projection` too: they belong to the shared vocabulary.
"""

from __future__ import annotations

from msgspec import Raw

from python.protocol.wire import ABSENT, FromRuntime

__all__ = ["ArrayInference", "Inference", "NumericInference", "Projection", "StringInference"]


class StringInference(FromRuntime, frozen=True, kw_only=True):
    """What a schema says of a location's strings; `max_length` counts characters, 0 means no bound."""

    content_type: str = ""
    format: str = ""
    content_encoding: str = ""
    max_length: int = 0


class NumericInference(FromRuntime, frozen=True, kw_only=True):
    """What a schema says of a location's numbers. A bound counts only where its `has_…` is true."""

    has_minimum: bool = False
    minimum: float = 0.0
    has_maximum: bool = False
    maximum: float = 0.0


class ArrayInference(FromRuntime, frozen=True, kw_only=True):
    """What a schema says of a location's arrays; `item_types` are JSON type names."""

    min_items: int = 0
    has_max_items: bool = False
    max_items: int = 0
    item_types: tuple[str, ...] = ()


class Inference(FromRuntime, frozen=True, kw_only=True):
    """What a schema says of one location.

    `types` is a sorted subset of null, boolean, object, array, integer, number, string. `exists` is `MUST`, `MAY`,
    `IMPLICIT` or `CANNOT`. `default` is a JSON value.
    """

    types: tuple[str, ...] = ()
    string: StringInference | None = None
    title: str = ""
    description: str = ""
    default: Raw = ABSENT
    secret: bool = False
    exists: str = ""
    numeric: NumericInference | None = None
    array: ArrayInference | None = None


class Projection(FromRuntime, frozen=True, kw_only=True):
    """A named location of a collection's documents: the JSON pointer `ptr` is projected as `field`."""

    ptr: str = ""
    field: str = ""
    explicit: bool = False
    is_partition_key: bool = False
    is_primary_key: bool = False
    inference: Inference | None = None
