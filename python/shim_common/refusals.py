"""States that a connector cannot continue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from python.protocol import document
from python.protocol.errors import ConnectorError

__all__ = ["refuse"]

_SHOWN_CHARACTERS_MAX = 120  # enough to see whose state it is


def refuse(stored: object, streams: Iterable[str], reason: str) -> NoReturn:
    """Raise ConnectorError: the state `stored` cannot be continued, with what to do about it."""
    shown = document.encode(stored).decode()
    shown = shown if len(shown) <= _SHOWN_CHARACTERS_MAX else f"{shown[:_SHOWN_CHARACTERS_MAX]}…"
    names = ", ".join(streams)
    raise ConnectorError(
        f"the stored state cannot be continued for {names}: {reason}. It is {shown}. To start these bindings over, "
        "raise their backfill counters (`backfill`); to go on, run the connector that stored it"
    )
