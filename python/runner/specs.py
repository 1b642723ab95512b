"""From an entry of a specification file, which the grammar has accepted, to the value it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from python.runner.bundling import Files
from python.runner.catalog import (
    INTERVAL_SECONDS_DEFAULT,
    AutoDiscover,
    CaptureBinding,
    CaptureTask,
    Collection,
    ExplicitProjection,
    ImageEndpoint,
    LocalEndpoint,
    OtherSpec,
    Shards,
)
from python.runner.durations import parse_seconds
from python.runner.problems import CatalogError, Problem, Where
from python.runner.yaml_file import SourceFile

__all__ = ["Entry", "capture_of", "collection_of", "other_of"]


@dataclass(frozen=True)
class Entry:
    """A named specification in a file: `spec` is None where the grammar refused it."""

    kind: str
    name: str
    spec: object
    source: SourceFile
    files: Files
    problems: list[Problem] = field(default_factory=list)

    def where(self, *at: str | int) -> Where:
        """Return the place of a member of the specification."""
        return self.source.where((self.kind, self.name, *at))

    def value(self, value: object, *at: str | int) -> tuple[object, Where]:
        """Return the member `value` at `at`, or what its file holds, and where that stands. Notes what is wrong."""
        try:
            return self.files.value(value, self.where(*at))
        except CatalogError as error:
            self.problems.extend(error.problems)
            return {}, self.where(*at)

    def schema(self, schema: object, *at: str | int) -> Mapping[str, object] | bool:
        """Return the member `schema` at `at` with all that it refers to. Notes what is wrong."""
        try:
            return self.files.schema(schema, self.where(*at))
        except CatalogError as error:
            self.problems.extend(error.problems)
            return {}

    def settle(self) -> None:
        """Raises CatalogError where anything was noted."""
        if self.problems:
            raise CatalogError(self.problems)


class _Form(msgspec.Struct, rename="camel"):
    """Base of what the grammar has accepted: the members that become values."""


class _Connector(_Form):
    image: str
    config: object


class _Local(_Form):
    command: tuple[str, ...]
    config: object
    env: dict[str, str] = {}
    protobuf: bool = False


class _Endpoint(_Form):
    connector: _Connector | None = None
    local: _Local | None = None


class _Binding(_Form):
    resource: object
    target: str
    disable: bool = False
    backfill: int = 0


class _Discover(_Form):
    add_new_bindings: bool = False
    evolve_incompatible_collections: bool = False


class _Shards(_Form):
    disable: bool = False
    min_txn_duration: str | None = None
    max_txn_duration: str | None = None
    hot_standbys: int | None = None
    ring_buffer_size: int | None = None
    read_channel_size: int | None = None
    log_level: str | None = None


class _Capture(_Form):
    endpoint: _Endpoint
    bindings: list[_Binding]
    interval: str | None = None
    auto_discover: _Discover | None = None
    shards: _Shards = msgspec.field(default_factory=_Shards)
    secrets: dict[str, str] = {}


class _Projection(_Form):
    location: str
    partition: bool = False


class _Collection(_Form):
    key: tuple[str, ...]
    schema: object = None
    write_schema: object = None
    read_schema: object = None
    projections: dict[str, str | _Projection] = {}
    derive: dict[str, object] | None = None


def capture_of(entry: Entry) -> CaptureTask:
    """Return the capture of `entry`. Raises CatalogError, with all problems of its files."""
    form = msgspec.convert(entry.spec, _Capture)
    endpoint = _endpoint(entry, form.endpoint)
    bindings = tuple(_binding(entry, index, binding) for index, binding in enumerate(form.bindings))
    entry.settle()
    discover = form.auto_discover
    return CaptureTask(
        name=entry.name,
        endpoint=endpoint,
        bindings=bindings,
        interval_seconds=int(parse_seconds(form.interval)) if form.interval else INTERVAL_SECONDS_DEFAULT,
        auto_discover=AutoDiscover(**msgspec.structs.asdict(discover)) if discover else None,
        shards=_shards(form.shards),
        secrets=form.secrets,
        where=entry.where(),
    )


def _endpoint(entry: Entry, form: _Endpoint) -> LocalEndpoint | ImageEndpoint:
    if form.local is not None:
        local, at = form.local, ("endpoint", "local")
        config, config_where = entry.value(local.config, *at, "config")
        return LocalEndpoint(
            command=local.command,
            config=config,
            env=local.env,
            protobuf=local.protobuf,
            config_where=config_where,
            where=entry.where(*at),
        )
    connector = msgspec.convert(form.connector, _Connector)
    config, config_where = entry.value(connector.config, "endpoint", "connector", "config")
    where = entry.where("endpoint", "connector")
    return ImageEndpoint(image=connector.image, config=config, config_where=config_where, where=where)


def _binding(entry: Entry, index: int, form: _Binding) -> CaptureBinding:
    at = ("bindings", index)
    resource, _ = entry.value(form.resource, *at, "resource")
    return CaptureBinding(
        resource=resource, target=form.target, disable=form.disable, backfill=form.backfill, where=entry.where(*at)
    )


def _shards(form: _Shards) -> Shards:
    return Shards(
        disable=form.disable,
        min_txn_seconds=parse_seconds(form.min_txn_duration) if form.min_txn_duration else None,
        max_txn_seconds=parse_seconds(form.max_txn_duration) if form.max_txn_duration else None,
        hot_standbys=form.hot_standbys,
        ring_buffer_size=form.ring_buffer_size,
        read_channel_size=form.read_channel_size,
        log_level=form.log_level,
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
    entry.settle()
    return Collection(
        name=entry.name,
        key=form.key,
        write_schema=write,
        read_schema=read,
        projections=tuple(_projection(entry, name, given) for name, given in form.projections.items()),
        derive=form.derive,
        where=entry.where(),
    )


def _members(spec: object) -> Mapping[str, object]:
    return msgspec.convert(spec, dict[str, object])


def _projection(entry: Entry, name: str, given: str | _Projection) -> ExplicitProjection:
    where = entry.where("projections", name)
    if isinstance(given, str):
        return ExplicitProjection(field=name, ptr=given, where=where)
    return ExplicitProjection(field=name, ptr=given.location, partition=given.partition, where=where)


def other_of(entry: Entry) -> OtherSpec:
    """Return a materialization or a test as it stands."""
    return OtherSpec(name=entry.name, spec=entry.spec, where=entry.where())
