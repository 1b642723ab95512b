"""A connector at one moment, as a value: what it answered to `spec` and `discover`, and what it captured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

__all__ = ["Binding", "Json", "Run", "Snapshot"]

Json: TypeAlias = Any
"""Any JSON value, as plain Python values."""

Binding: TypeAlias = "Mapping[str, Any]"
"""A discovered binding, as on the wire."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector did with one config.

    `bindings` are those that it discovered; `documents` some that it captured, by the name of a binding or collection;
    `state` the connector state that it ended with. None where that is not known.
    """

    bindings: tuple[Binding, ...] | None = None
    documents: Mapping[str, tuple[Json, ...]] | None = None
    state: Json = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a connector: `name` is what people call it, `version` what its VERSION says, None without one.

    `spec` is the answer to `spec`, without the message around it, None where it is not known. `runs` are by the name
    of the config that each had; most connectors have one, which is called "".
    """

    name: str
    version: str | None = None
    spec: Mapping[str, Any] | None = None
    runs: Mapping[str, Run] = {}
