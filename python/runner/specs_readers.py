"""From entries of derivations and materializations, which the grammar has accepted, to the values they stand for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from python.runner.catalog_readers import DerivationTask, Fields, MaterializationTask, Source, StoredBinding, Transform
from python.runner.durations import parse_seconds
from python.runner.entries import EndpointForm, Entry, Form, ShardsForm, endpoint_of, shards_of
from python.runner.problems import Problem

__all__ = ["SourceForm", "derivation_of", "materialization_of", "source_in"]


class _Partitions(Form):
    include: dict[str, tuple[object, ...]] = msgspec.field(default_factory=dict)
    exclude: dict[str, tuple[object, ...]] = msgspec.field(default_factory=dict)


class SourceForm(Form):
    """A collection to read, where more is said of it than its name."""

    name: str
    partitions: _Partitions = msgspec.field(default_factory=_Partitions)
    not_before: str | None = None
    not_after: str | None = None


class _Shuffle(Form):
    key: tuple[str, ...] | None = None


class _Transform(Form):
    name: str
    source: str | SourceForm
    shuffle: str | _Shuffle
    lambda_: object = msgspec.field(default=None, name="lambda")
    priority: int = 0
    read_delay: str | None = None
    disable: bool = False
    backfill: int = 0


class _Derive(Form):
    using: dict[str, object]
    transforms: list[_Transform]
    shuffle_key_types: tuple[str, ...] = ()
    shards: ShardsForm = msgspec.field(default_factory=ShardsForm)
    secrets: dict[str, str] = msgspec.field(default_factory=dict)


class _Fields(Form):
    recommended: bool | int
    require: dict[str, object] = msgspec.field(default_factory=dict)
    include: dict[str, object] = msgspec.field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()


class _Binding(Form):
    resource: object
    source: str | SourceForm
    disable: bool = False
    priority: int = 0
    fields: _Fields | None = None
    backfill: int = 0
    on_incompatible_schema_change: str | None = None


class _Materialization(Form):
    endpoint: dict[str, object]
    bindings: list[_Binding]
    on_incompatible_schema_change: str = "backfill"
    shards: ShardsForm = msgspec.field(default_factory=ShardsForm)
    secrets: dict[str, str] = msgspec.field(default_factory=dict)


def derivation_of(entry: Entry, derive: object) -> DerivationTask:
    """Return the derivation of the collection `entry`, whose member `derive` this is. What is wrong is noted there."""
    form = msgspec.convert(derive, _Derive)
    using = next(iter(form.using))
    external = using in EndpointForm.__struct_fields__
    return DerivationTask(
        name=entry.name,
        endpoint=endpoint_of(entry, msgspec.convert(form.using, EndpointForm), "derive", "using") if external else None,
        using=using,
        transforms=tuple(_transform(entry, index, given) for index, given in enumerate(form.transforms)),
        shuffle_key_types=form.shuffle_key_types,
        shards=shards_of(form.shards),
        secrets=form.secrets,
        where=entry.where("derive"),
    )


def materialization_of(entry: Entry) -> MaterializationTask:
    """Return the materialization of `entry`. Raises CatalogError, with all problems of it and its files."""
    form = msgspec.convert(entry.spec, _Materialization)
    dekaf = "dekaf" in form.endpoint
    task = MaterializationTask(
        name=entry.name,
        endpoint=None if dekaf else endpoint_of(entry, msgspec.convert(form.endpoint, EndpointForm), "endpoint"),
        bindings=tuple(
            _binding(entry, index, given, form.on_incompatible_schema_change)
            for index, given in enumerate(form.bindings)
        ),
        shards=shards_of(form.shards),
        secrets=form.secrets,
        where=entry.where(),
    )
    entry.settle()
    return task


def _transform(entry: Entry, index: int, form: _Transform) -> Transform:
    at = ("derive", "transforms", index)
    shuffle = form.shuffle
    return Transform(
        name=form.name,
        source=source_in(entry, form.source, *at, "source"),
        shuffle=shuffle.key if isinstance(shuffle, _Shuffle) else None,
        shuffle_lambda=isinstance(shuffle, _Shuffle) and shuffle.key is None,
        lambda_=entry.text_or_value(form.lambda_, *at, "lambda"),
        priority=form.priority,
        read_delay_seconds=parse_seconds(form.read_delay) if form.read_delay else 0.0,
        disable=form.disable,
        backfill=form.backfill,
        where=entry.where(*at),
    )


def _binding(entry: Entry, index: int, form: _Binding, on_incompatible: str) -> StoredBinding:
    at = ("bindings", index)
    resource, _ = entry.value(form.resource, *at, "resource")
    return StoredBinding(
        resource=resource,
        source=source_in(entry, form.source, *at, "source"),
        disable=form.disable,
        priority=form.priority,
        fields=_fields(form.fields) if form.fields else Fields(),
        backfill=form.backfill,
        on_incompatible=form.on_incompatible_schema_change or on_incompatible,
        where=entry.where(*at),
    )


def _fields(form: _Fields) -> Fields:
    return Fields(
        depth_max=None if form.recommended is True else int(form.recommended),
        require={**form.require, **form.include},
        exclude=form.exclude,
        group_by=form.group_by,
    )


def source_in(entry: Entry, form: str | SourceForm, *at: str | int) -> Source:
    """Return the collection to read that stands at `at`. What is wrong is noted with the entry."""
    where = entry.where(*at)
    if isinstance(form, str):
        return Source(collection=form, where=where)
    for choice in (form.partitions.include, form.partitions.exclude):
        for name, values in choice.items():
            if any(isinstance(value, (Mapping, list, float)) for value in values):
                sentence = f"selects partitions of {form.name} by a {name} that is no text, integer, boolean or null"
                entry.problems.append(Problem(where, f"{sentence}; name the values one by one"))
    return Source(
        collection=form.name,
        include=form.partitions.include,
        exclude=form.partitions.exclude,
        not_before=_moment(entry, form.not_before, *at, "notBefore"),
        not_after=_moment(entry, form.not_after, *at, "notAfter"),
        where=where,
    )


def _moment(entry: Entry, text: str | None, *at: str | int) -> dt.datetime | None:
    if text is None:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        sentence = f"{at[-1]} is {text!r}; want a date and time with its zone, such as 2024-01-31T00:00:00Z"
        entry.problems.append(Problem(entry.where(*at), sentence))
    return found
