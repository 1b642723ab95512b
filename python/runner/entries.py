"""An entry of a specification file, and what the entries of all kinds of tasks have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from python.runner.bundling import Files, file_named
from python.runner.durations import parse_seconds
from python.runner.endpoints import ImageEndpoint, LocalEndpoint, Shards
from python.runner.problems import CatalogError, Problem, Where
from python.runner.yaml_file import SourceFile

__all__ = ["ConnectorForm", "EndpointForm", "Entry", "Form", "LocalForm", "ShardsForm", "endpoint_of", "shards_of"]

_VALUES = (".yaml", ".yml", ".json")


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

    def text_or_value(self, value: object, *at: str | int) -> object:
        """Return the member `value` at `at`: where it names a file of text (code, for instance), that text.

        A text with spaces is no name, nor is one of a file that is not there: it stands for itself.
        """
        if not isinstance(value, str) or not value or any(map(str.isspace, value)):
            return value
        path = file_named(value, self.where(*at))
        if path.suffix in _VALUES:
            return self.value(value, *at)[0]
        return path.read_text(encoding="utf-8") if path.is_file() else value

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


class Form(msgspec.Struct, rename="camel"):
    """Base of what the grammar has accepted: the members that become values."""


class ConnectorForm(Form):
    """A connector that is an image."""

    image: str
    config: object


class LocalForm(Form):
    """A connector that is a command."""

    command: tuple[str, ...]
    config: object
    env: dict[str, str] = {}
    protobuf: bool = False


class EndpointForm(Form):
    """A connector, in either form."""

    connector: ConnectorForm | None = None
    local: LocalForm | None = None


class ShardsForm(Form):
    """How a task is run."""

    disable: bool = False
    min_txn_duration: str | None = None
    max_txn_duration: str | None = None
    hot_standbys: int | None = None
    ring_buffer_size: int | None = None
    read_channel_size: int | None = None
    log_level: str | None = None


def endpoint_of(entry: Entry, form: EndpointForm, *at: str) -> LocalEndpoint | ImageEndpoint:
    """Return the endpoint that stands at `at` of the specification: a command, or an image."""
    if form.local is not None:
        local = form.local
        config, config_where = entry.value(local.config, *at, "local", "config")
        return LocalEndpoint(
            command=local.command,
            config=config,
            env=local.env,
            protobuf=local.protobuf,
            config_where=config_where,
            where=entry.where(*at, "local"),
        )
    connector = msgspec.convert(form.connector, ConnectorForm)
    config, config_where = entry.value(connector.config, *at, "connector", "config")
    where = entry.where(*at, "connector")
    return ImageEndpoint(image=connector.image, config=config, config_where=config_where, where=where)


def shards_of(form: ShardsForm) -> Shards:
    """Return how a task is run, with durations in seconds."""
    return Shards(
        disable=form.disable,
        min_txn_seconds=parse_seconds(form.min_txn_duration) if form.min_txn_duration else None,
        max_txn_seconds=parse_seconds(form.max_txn_duration) if form.max_txn_duration else None,
        hot_standbys=form.hot_standbys,
        ring_buffer_size=form.ring_buffer_size,
        read_channel_size=form.read_channel_size,
        log_level=form.log_level,
    )
