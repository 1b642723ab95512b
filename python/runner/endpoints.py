"""What every task of a specification has: an endpoint, which is a connector and its config, and how it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from python.runner.problems import Where

__all__ = ["ImageEndpoint", "LocalEndpoint", "Shards", "Task"]


@dataclass(frozen=True, kw_only=True)
class LocalEndpoint:
    """A connector that is a command of this machine. `config` may be sealed: see `unseal`."""

    connector_type: ClassVar[str] = "LOCAL"
    command: tuple[str, ...]
    config: object
    env: Mapping[str, str] = field(default_factory=dict)
    protobuf: bool = False
    config_where: Where
    where: Where


@dataclass(frozen=True, kw_only=True)
class ImageEndpoint:
    """A connector that is a container image. `config` may be sealed: see `unseal`."""

    connector_type: ClassVar[str] = "IMAGE"
    image: str
    config: object
    config_where: Where
    where: Where


@dataclass(frozen=True, kw_only=True)
class Shards:
    """How a task is run; None where the specification does not say. Durations are seconds."""

    disable: bool = False
    min_txn_seconds: float | None = None
    max_txn_seconds: float | None = None
    hot_standbys: int | None = None
    ring_buffer_size: int | None = None
    read_channel_size: int | None = None
    log_level: str | None = None


class Task(Protocol):
    """A capture, a derivation or a materialization, whose connector can be started."""

    @property
    def kind(self) -> str:
        """One of the three, in a word."""

    @property
    def name(self) -> str:
        """The name in the catalog; a derivation's is that of its collection."""

    @property
    def endpoint(self) -> LocalEndpoint | ImageEndpoint | None:
        """What to start, with which config."""

    @property
    def shards(self) -> Shards:
        """How it is run."""
