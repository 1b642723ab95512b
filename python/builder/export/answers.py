"""What an exported connector says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from python.importing.scaffold.examples import Example
from python.runner.discovery_merge import Merge

__all__ = ["Answers"]


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector answered. `given` is an example of its config, `config` the one that its recording fits.

    `problem` says why there are no bindings, `unplayed` why nothing is captured of the recording. `records` are by
    stream, and None where nothing was recorded; `unread` says of the other streams why the recording has not all of
    them, and `replayed` leaves those out. `snapshots` are what its tests keep, by path.
    """

    given: Example
    config: Mapping[str, Any]
    problem: str = ""
    resource_schema: Mapping[str, Any] | None = None
    found: Merge | None = None
    unplayed: str = ""
    replayed: Merge | None = None
    unread: Mapping[str, str] = {}
    records: Mapping[str, Sequence[Mapping[str, Any]]] | None = None
    snapshots: Mapping[str, str] = {}
