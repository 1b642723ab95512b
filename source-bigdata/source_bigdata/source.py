"""The source and its three streams: without a key, with a cursor, with a composite key."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from airbyte_cdk.sources import AbstractSource
from airbyte_cdk.sources.streams import IncrementalMixin, Stream

from source_bigdata import rows

__all__ = ["SourceBigdata"]

DOCUMENTS_DEFAULT = 3000
PAGE_SIZE_DEFAULT = 5000
STREAMS = 3


class SourceBigdata(AbstractSource):
    """An Airbyte source of made-up data: the same config always gives the same data."""

    def check_connection(self, logger: logging.Logger, config: Mapping[str, Any]) -> tuple[bool, object]:
        """Return success: there is nothing to connect to, and the spec has said what a config may be."""
        del logger, config
        return True, None

    def streams(self, config: Mapping[str, Any]) -> list[Stream]:
        """Return the three streams, which share `documents` evenly; the first ones take what is left over."""
        total = config.get("documents", DOCUMENTS_DEFAULT)
        shares = [(total + STREAMS - 1 - index) // STREAMS for index in range(STREAMS)]
        return [Events(config, shares[0]), Orders(config, shares[1]), LineItems(config, shares[2])]


class _Rows(Stream):
    """What the streams have in common: they are numbered rows, of which a config asks for the first `count`."""

    def __init__(self, config: Mapping[str, Any], count: int) -> None:
        self._region = str(config["region"])
        self._seed = rows.seed_of(str(config["data_name"]), self._region, self.name)
        self._count = count
        self._page_size = int(config.get("page_size", PAGE_SIZE_DEFAULT))


class Events(_Rows):
    """Events, which nothing identifies: each sync gives all of them."""

    primary_key = None

    def read_records(self, *_: Any, **__: Any) -> Iterable[Mapping[str, Any]]:  # noqa: ANN401 -- the CDK's own
        """Yield every event."""
        return rows.events(self._seed, self._region, range(self._count))


class Orders(_Rows, IncrementalMixin):
    """Orders, each newer than the one before: a sync gives those after the last one seen."""

    primary_key = "id"
    cursor_field = "updated_at"

    def __init__(self, config: Mapping[str, Any], count: int) -> None:
        super().__init__(config, count)
        self._last_seen: str | None = None

    @property
    def state_checkpoint_interval(self) -> int:
        """How many orders lie between two STATE messages."""
        return self._page_size

    @property
    def state(self) -> MutableMapping[str, Any]:
        """The time of the last order seen, or nothing."""
        return {} if self._last_seen is None else {"updated_at": self._last_seen}

    @state.setter
    def state(self, value: MutableMapping[str, Any]) -> None:
        self._last_seen = value.get("updated_at")

    def read_records(self, *_: Any, **__: Any) -> Iterable[Mapping[str, Any]]:  # noqa: ANN401 -- the CDK's own
        """Yield the orders after the last one seen, oldest first."""
        first = 0 if self._last_seen is None else rows.order_number(self._last_seen) + 1
        for row in rows.orders(self._seed, self._region, range(first, self._count)):
            self._last_seen = str(row["updated_at"])
            yield row


class LineItems(_Rows):
    """The lines of orders, identified by order and line together: each sync gives all of them."""

    @property
    def primary_key(self) -> list[str]:
        """The key of a line."""
        return ["order_id", "line"]

    def read_records(self, *_: Any, **__: Any) -> Iterable[Mapping[str, Any]]:  # noqa: ANN401 -- the CDK's own
        """Yield every line."""
        return rows.line_items(self._seed, self._region, range(self._count))
