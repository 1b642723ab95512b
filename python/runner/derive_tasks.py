"""A derivation as the runtime sees it: the requests its connector is sent (protocol reference, 2.6 and 4.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from python.protocol import derive as wire
from python.protocol import document
from python.protocol.flow import CollectionSpec, Derivation, RangeSpec, Transform
from python.runner import catalog_readers as readers
from python.runner.catalog_readers import DerivationTask
from python.runner.counters import Counter
from python.runner.inference import infer, locate
from python.runner.problems import CatalogError, Problem
from python.runner.unseal import unseal

__all__ = ["counters_of", "derivation_spec", "enabled", "offset_suffix", "open_request", "validate_request"]

_TYPES = {"boolean": "BOOLEAN", "integer": "INTEGER", "string": "STRING"}


def enabled(task: DerivationTask) -> tuple[readers.Transform, ...]:
    """Return the transforms that count on the wire, in the order of their indexes there."""
    return tuple(transform for transform in task.transforms if not transform.disable)


def counters_of(task: DerivationTask) -> tuple[Counter, ...]:
    """Return the backfill counters of the enabled transforms."""
    return tuple(
        Counter(key=each.name, backfill=each.backfill, what=f"the transform {each.name}", where=each.where)
        for each in enabled(task)
    )


def validate_request(
    task: DerivationTask, derived: CollectionSpec, sources: Mapping[str, CollectionSpec], last: CollectionSpec | None
) -> wire.Validate:
    """Return the request to check the enabled transforms. Raises CatalogError for a shuffle that cannot be."""
    wrong = list(_shuffle_problems(task, sources))
    if wrong:
        raise CatalogError(wrong)
    return wire.Validate(
        connector_type=_connector_type(task),
        config=_config(task),
        collection=derived,
        transforms=tuple(
            wire.ValidateTransform(
                name=transform.name,
                collection=sources[transform.source.collection],
                lambda_config=_lambda(transform),
                backfill=transform.backfill,
            )
            for transform in enabled(task)
        ),
        shuffle_key_types=tuple(_TYPES[name] for name in task.shuffle_key_types),
        project_root=f"{task.where.file.resolve().parent.as_uri()}/",
        last_collection=last,
    )


def derivation_spec(
    task: DerivationTask, sources: Mapping[str, CollectionSpec], validated: wire.Validated
) -> Derivation:
    """Return the built derivation of `task`."""
    return Derivation(
        connector_type=_connector_type(task),
        config=_config(task),
        transforms=tuple(
            Transform(
                name=transform.name,
                collection=sources[transform.source.collection],
                priority=transform.priority,
                read_delay_seconds=round(transform.read_delay_seconds),
                shuffle_key=transform.shuffle or (),
                lambda_config=_lambda(transform),
                read_only=answer.read_only,
                journal_read_suffix=offset_suffix(task, transform),
                not_before=transform.source.not_before,
                not_after=transform.source.not_after,
                backfill=transform.backfill,
            )
            for transform, answer in zip(enabled(task), validated.transforms, strict=True)
        ),
        shuffle_key_types=tuple(_TYPES[name] for name in task.shuffle_key_types),
    )


def open_request(collection: CollectionSpec, version: str, shard: RangeSpec, state: object) -> wire.Open:
    """Return the request to derive a shard's share of `collection`, which has its derivation, from `state`."""
    return wire.Open(collection=collection, version=version, range=shard, state=msgspec.Raw(document.encode(state)))


def offset_suffix(task: DerivationTask, transform: readers.Transform) -> str:
    """Return the reader's part of the name of a transform's offset: a raised backfill counter starts it over."""
    counter = f".v{transform.backfill}" if transform.backfill else ""
    return f"derive/{task.name}/{transform.name}{counter}"


def _shuffle_problems(task: DerivationTask, sources: Mapping[str, CollectionSpec]) -> Iterator[Problem]:
    """Yield what is wrong with the shuffles: all of one derivation's have keys of the same types."""
    first: tuple[str, tuple[str, ...]] | None = None
    for transform in enabled(task):
        if transform.shuffle_lambda:
            sentence = f"the transform {transform.name} shuffles by a lambda, which is not done here; shuffle by a key"
            yield Problem(transform.where, sentence)
        if transform.shuffle is None:
            continue
        found = _key_types(transform.shuffle, sources[transform.source.collection])
        first = first or (transform.name, found)
        given = task.shuffle_key_types
        if len(found) != len(first[1]) or (found != first[1] and not given):
            sentence = (
                f"the transform {transform.name} shuffles by a key of {' and '.join(found)}, but {first[0]} by one of "
                f"{' and '.join(first[1])}; make them alike, or say `shuffleKeyTypes`"
            )
            yield Problem(transform.where, sentence)
        elif given and len(given) != len(found):
            sentence = (
                f"`shuffleKeyTypes` names {len(given)} types, but {transform.name} shuffles by {len(found)} parts"
            )
            yield Problem(transform.where, sentence)


def _key_types(key: tuple[str, ...], source: CollectionSpec) -> tuple[str, ...]:
    shape = infer(document.decode(source.read_schema or source.write_schema))  # type: ignore[arg-type] # a schema was written
    return tuple("/".join(sorted(locate(shape, ptr).shape.types - {"null"})) or "null" for ptr in key)


def _lambda(transform: readers.Transform) -> msgspec.Raw:
    return msgspec.Raw(document.encode([transform.lambda_])[1:-1])  # null where there is none


def _connector_type(task: DerivationTask) -> str:
    return task.endpoint.connector_type if task.endpoint else ""


def _config(task: DerivationTask) -> msgspec.Raw:
    assert task.endpoint is not None, "a derivation without a connector is not started"  # noqa: S101 -- our own code's
    return msgspec.Raw(document.encode(unseal(task.endpoint.config, task.endpoint.config_where, task.secrets)))
