"""What a suite has to know of a materialization under test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from python.protocol.wire import FromConnector, FromRuntime
from python.runner.containers import Containers

__all__ = ["AnyConnector", "Rows", "Table", "Target"]

Rows = Callable[[str], Sequence[Mapping[str, Any]]]
"""Reads all rows of a table from outside of the connector, by the names of their columns."""


class AnyConnector(Protocol):
    """A connector in this process, such as an instance of `python.materialize.Connector`."""

    def answer(self, request: FromRuntime) -> Iterator[FromConnector]:
        """Yield the responses to a request."""

    def due(self) -> Iterable[FromConnector]:
        """Yield what has become ready since."""

    def finish(self) -> None:
        """The session has ended at a boundary."""


def _resource(table: str, delta: bool) -> dict[str, Any]:  # noqa: FBT001 -- as users of the suite write it
    return {"table": table, "delta_updates": True} if delta else {"table": table}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A materialization, and an endpoint for it that is empty at first.

    `command` starts the connector. `make`, if given, makes one in this process, which is quicker: the command then
    serves only for what needs processes. `config` is the endpoint config, `hard_delete` what to add to it to have rows
    of deleted documents deleted. `resource` makes a resource config of a table's name and whether it has delta updates.
    `rows` reads a table, each value as the text that the endpoint shows it as, null as None.

    `containers` are those of `command` where it runs an image.

    `exceptions` maps the name of a case to a regular expression: the connector cannot do this, and refuses it with a
    sentence where the expression is found. A case that is refused otherwise, or that works after all, fails.
    """

    command: tuple[str, ...]
    config: Mapping[str, Any]
    rows: Rows
    make: Callable[[], AnyConnector] | None = None
    hard_delete: Mapping[str, Any] = msgspec.field(default_factory=lambda: {"hard_delete": True})
    resource: Callable[[str, bool], Mapping[str, Any]] = _resource
    exceptions: Mapping[str, str] = {}
    env: Mapping[str, str] = {}
    cwd: str | None = None
    containers: Containers | None = None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A binding: a collection with this schema and key, and the table that it is stored to."""

    name: str
    properties: Mapping[str, Any]
    key: tuple[str, ...] = ("/id",)
    required: tuple[str, ...] = ("id",)
    delta: bool = False
    backfill: int = 0
