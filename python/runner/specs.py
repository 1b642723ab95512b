"""From an entry of a specification file, which the grammar has accepted, to the value it stands for."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from python.runner.catalog import (
    INTERVAL_SECONDS_DEFAULT,
    AutoDiscover,
    CaptureBinding,
    CaptureTask,
    Collection,
    ExplicitProjection,
)
from python.runner.durations import parse_seconds
from python.runner.entries import EndpointForm, Entry, Form, ShardsForm, endpoint_of, shards_of
from python.runner.problems import Problem
from python.runner.specs_readers import derivation_of

__all__ = ["capture_of", "collection_of"]


class _Binding(Form):
    resource: object
    target: str
    disable: bool = False
    backfill: int = 0


class _Discover(Form):
    add_new_bindings: bool = False
    evolve_incompatible_collections: bool = False


class _Capture(Form):
    endpoint: EndpointForm
    bindings: list[_Binding]
    interval: str | None = None
    auto_discover: _Discover | None = None
    shards: ShardsForm = msgspec.field(default_factory=ShardsForm)
    secrets: dict[str, str] = msgspec.field(default_factory=dict)


class _Projection(Form):
    location: str
    partition: bool = False


class _Collection(Form):
    key: tuple[str, ...]
    schema: object = None
    write_schema: object = None
    read_schema: object = None
    projections: dict[str, str | _Projection] = msgspec.field(default_factory=dict)
    derive: object = None


def capture_of(entry: Entry) -> CaptureTask:
    """Return the capture of `entry`. Raises CatalogError, with all problems of its files."""
    form = msgspec.convert(entry.spec, _Capture)
    endpoint = endpoint_of(entry, form.endpoint, "endpoint")
    bindings = tuple(_binding(entry, index, binding) for index, binding in enumerate(form.bindings))
    entry.settle()
    discover = form.auto_discover
    return CaptureTask(
        name=entry.name,
        endpoint=endpoint,
        bindings=bindings,
        interval_seconds=int(parse_seconds(form.interval)) if form.interval else INTERVAL_SECONDS_DEFAULT,
        auto_discover=AutoDiscover(**msgspec.structs.asdict(discover)) if discover else None,
        shards=shards_of(form.shards),
        secrets=form.secrets,
        where=entry.where(),
    )


def _binding(entry: Entry, index: int, form: _Binding) -> CaptureBinding:
    at = ("bindings", index)
    resource, _ = entry.value(form.resource, *at, "resource")
    return CaptureBinding(
        resource=resource, target=form.target, disable=form.disable, backfill=form.backfill, where=entry.where(*at)
    )


def collection_of(entry: Entry) -> Collection:
    """Return the collection of `entry`. Raises CatalogError, with all problems of it and its files."""
    form = msgspec.convert(entry.spec, _Collection)
    given = tuple(name for name in ("schema", "writeSchema", "readSchema") if name in _members(entry.spec))
    if given not in (("schema",), ("writeSchema", "readSchema")):
        got = " and ".join(given) or "none of them"
        sentence = f"collection {entry.name} has {got}; want either `schema`, or both `writeSchema` and `readSchema`"
        entry.problems.append(Problem(entry.where(), sentence))
    single = "schema" in given
    write = entry.schema(form.schema if single else form.write_schema, "schema" if single else "writeSchema")
    read = None if single else entry.schema(form.read_schema, "readSchema")
    derive = None if form.derive is None else derivation_of(entry, form.derive)
    entry.settle()
    return Collection(
        name=entry.name,
        key=form.key,
        write_schema=write,
        read_schema=read,
        projections=tuple(_projection(entry, name, given) for name, given in form.projections.items()),
        derive=derive,
        where=entry.where(),
    )


def _members(spec: object) -> Mapping[str, object]:
    return msgspec.convert(spec, dict[str, object])


def _projection(entry: Entry, name: str, given: str | _Projection) -> ExplicitProjection:
    where = entry.where("projections", name)
    if isinstance(given, str):
        return ExplicitProjection(field=name, ptr=given, where=where)
    return ExplicitProjection(field=name, ptr=given.location, partition=given.partition, where=where)
