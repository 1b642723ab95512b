"""The named locations of a collection's documents, and whether its key and projections can be what they say.

Flow protocol, sections 2.3 and 11.3.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from msgspec import Raw

from python.protocol import document
from python.protocol.projection import ArrayInference, Inference, NumericInference, Projection, StringInference
from python.protocol.wire import ABSENT
from python.runner.catalog import Collection
from python.runner.inference import Location, locate, locations
from python.runner.problems import Problem, Where
from python.runner.shape import Shape

__all__ = ["DOCUMENT_FIELD", "UUID_PTR", "inference_of", "problems", "projections"]

DOCUMENT_FIELD = "flow_document"
"""The field of the whole document, unless the collection names it otherwise."""
UUID_PTR = "/_meta/uuid"
"""Where the runtime writes the UUID of each document."""

_PUBLISHED_AT_PTR = "/_meta/uuid/date-time"  # not a place in documents: Flow reads a time out of the UUID
_PUBLISHED_AT = Projection(
    ptr=UUID_PTR,
    field="flow_published_at",
    inference=Inference(
        types=("string",),
        string=StringInference(format="date-time", content_encoding="uuid"),
        title="Flow Publication Time",
        description="When Flow published the document, as its UUID tells.",
        exists="MUST",
    ),
)
_TRUNCATED = Projection(
    ptr="/_meta/flow_truncated",
    field="_meta/flow_truncated",
    inference=Inference(
        types=("boolean",),
        title="Flow Truncation Indicator",
        description="Whether values of the document were cut to fit the endpoint.",
        exists="MUST",
    ),
)
_UNKEYABLE = {"array", "object", "fractional"}


def projections(collection: Collection, shape: Shape) -> tuple[Projection, ...]:
    """Return the projections of `collection`, whose documents are read as `shape`, sorted by field and unique.

    Those that the collection names come first, then its key, then what the schema names: the canonical field of a
    location is its pointer without the leading slash.
    """
    found = [
        *_explicit(collection, shape),
        *_synthetic(collection),
        *(_canonical(locate(shape, ptr), collection) for ptr in collection.key),
        *(_canonical(place, collection) for place in locations(shape) if _has_field(place)),
    ]
    unique: dict[str, Projection] = {}
    for projection in found:
        unique.setdefault(projection.field, projection)
    return tuple(unique[name] for name in sorted(unique, key=str.encode))


def problems(collection: Collection, read: Shape, write: Shape) -> Iterator[Problem]:
    """Yield what is wrong with the key and the projections of `collection`, by the shapes of its two schemas."""
    named = [("schema", write)] if collection.read_schema is None else [("writeSchema", write), ("readSchema", read)]
    for name, shape in named:
        if shape.types != {"object"}:
            sentence = (
                f"collection {collection.name} has a `{name}` that admits more than objects; write `type: object`"
            )
            yield Problem(collection.where, sentence)
            return
        for ptr in collection.key:
            yield from _keyable(locate(shape, ptr), f"the key of {collection.name} in its `{name}`", collection.where)
    for projection in collection.projections:
        if projection.ptr == _PUBLISHED_AT_PTR:
            continue
        place, label = locate(read, projection.ptr), f"the projection {projection.field!r} of {collection.name}"
        if projection.partition:
            yield from _keyable(place, label, projection.where)
        elif place.exists in {"IMPLICIT", "CANNOT"}:
            yield Problem(projection.where, f"{label} is {projection.ptr}, {_ABSENCE[place.exists]}")
    yield from _remapped(collection, read)


_ABSENCE = {
    "IMPLICIT": "which the schema does not name; correct it, or add the location to the schema",
    "CANNOT": "where the schema allows nothing; correct it, or the schema",
}


def _keyable(place: Location, label: str, where: Where) -> Iterator[Problem]:
    if place.exists in _ABSENCE:
        yield Problem(where, f"{label} has {place.ptr or 'the root'}, {_ABSENCE[place.exists]}")
        return
    if place.shape.types & _UNKEYABLE or place.shape.types == {"null"}:
        got = ", ".join(_type_names(place.shape))
        yield Problem(where, f"{label} has {place.ptr or 'the root'} of type {got}; want integer, string or boolean")
    if place.shape.annotations.reduce not in {None, "lastWriteWins"}:
        strategy = place.shape.annotations.reduce
        yield Problem(where, f"{label} has {place.ptr} with the reduction {strategy!r}; a key takes none: remove it")


def _remapped(collection: Collection, shape: Shape) -> Iterator[Problem]:
    """Yield a problem for each explicit projection that takes the canonical field of another location."""
    canonical = {place.ptr[1:]: place.ptr for place in locations(shape) if _has_field(place)}
    for projection in collection.projections:
        rightful = canonical.get(projection.field, projection.ptr)
        if rightful != projection.ptr:
            sentence = (
                f"the projection {projection.field!r} of {collection.name} is {projection.ptr}, "
                f"but that name belongs to {rightful}; choose another"
            )
            yield Problem(projection.where, sentence)


def _explicit(collection: Collection, shape: Shape) -> Iterator[Projection]:
    for given in collection.projections:
        if given.ptr == _PUBLISHED_AT_PTR:
            yield Projection(ptr=UUID_PTR, field=given.field, explicit=True, inference=_PUBLISHED_AT.inference)
            continue
        yield Projection(
            ptr=given.ptr,
            field=given.field,
            explicit=True,
            is_primary_key=given.ptr in collection.key,
            is_partition_key=given.partition,
            inference=inference_of(locate(shape, given.ptr)),
        )


def _synthetic(collection: Collection) -> Iterator[Projection]:
    """Yield the projections that Flow adds to every collection, where no explicit one stands for them."""
    named = {given.ptr for given in collection.projections}
    if "" not in named:
        whole = Inference(types=("object",), exists="MUST")
        yield Projection(ptr="", field=DOCUMENT_FIELD, inference=whole)
    if _PUBLISHED_AT_PTR not in named:
        yield _PUBLISHED_AT
    yield _TRUNCATED


def _canonical(place: Location, collection: Collection) -> Projection:
    key = place.ptr in collection.key
    return Projection(ptr=place.ptr, field=place.ptr[1:], is_primary_key=key, inference=inference_of(place))


def _has_field(place: Location) -> bool:
    return bool(place.ptr) and not place.ptr.endswith("/") and place.ptr != f"/{DOCUMENT_FIELD}"


def inference_of(place: Location) -> Inference:
    """Return what a projection tells a connector about `place`."""
    shape, notes = place.shape, place.shape.annotations
    return Inference(
        types=_type_names(shape),
        string=_strings(shape) if "string" in shape.types else None,
        title=notes.title or "",
        description=notes.description or "",
        default=ABSENT if notes.default is None else Raw(document.encode(notes.default[0])),
        secret=bool(notes.secret),
        exists=place.exists,
        numeric=_numbers(shape) if shape.types & {"integer", "fractional"} else None,
        array=_arrays(shape) if "array" in shape.types else None,
    )


def _type_names(shape: Shape) -> tuple[str, ...]:
    """Return the sorted names of JSON Schema for the shape's types: integers and fractions together are numbers."""
    names = {"number" if name == "fractional" else name for name in shape.types}
    return tuple(sorted(names - {"integer"} if "number" in names else names))


def _strings(shape: Shape) -> StringInference:
    notes = shape.annotations
    return StringInference(
        content_type=notes.content_type or "",
        format=notes.format or "",
        content_encoding=notes.content_encoding or "",
        max_length=int(shape.bounds.get("maxLength", 0)),
    )


def _numbers(shape: Shape) -> NumericInference | None:
    """Return the bounds of a location's numbers; None where it has none that a double can hold."""
    bounds: dict[str, float] = {}
    for name in ("minimum", "maximum"):
        with contextlib.suppress(OverflowError):
            bounds.update({name: float(shape.bounds[name])} if name in shape.bounds else {})
    if not bounds:
        return None
    return NumericInference(
        has_minimum="minimum" in bounds,
        minimum=bounds.get("minimum", 0.0),
        has_maximum="maximum" in bounds,
        maximum=bounds.get("maximum", 0.0),
    )


def _arrays(shape: Shape) -> ArrayInference:
    return ArrayInference(
        min_items=int(shape.bounds.get("minItems", 0)),
        has_max_items="maxItems" in shape.bounds,
        max_items=int(shape.bounds.get("maxItems", 0)),
        item_types=_type_names(shape.items) if shape.items else (),
    )
