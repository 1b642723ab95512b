"""A derivation for chaos: what each bucket of orders amounts to, counted twice, by reductions and in its state.

`orders` and `cents` are to be added by the schema; `counted` and `mixed` are what the state has come to. Documents that
were read twice, or never, and a state that is not of the commit of its documents, make the two differ.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import msgspec

from python import derive
from python.protocol.flow import ConnectorState

BUCKETS = 997
_MASK = 0xFFFF_FFFF


class Config(msgspec.Struct):
    pass


class Bucket(msgspec.Struct):
    counted: int = 0
    mixed: int = 0


class Counted(msgspec.Struct):
    buckets: dict[str, Bucket] = {}


class OrderTotals(derive.Connector[Config, dict[str, Any], Counted]):
    documentation_url = "https://example.com/order-totals"

    def open(self, request: derive.Open[Config, dict[str, Any], Counted]) -> None:
        del request
        self._changed: dict[str, Any] = {}

    @derive.transform("orders")
    def orders(self, order: dict[str, Any]) -> Iterator[dict[str, Any]]:
        number = order["id"] % BUCKETS
        bucket = self.state.buckets.setdefault(str(number), Bucket())
        bucket.counted += 1
        bucket.mixed = (bucket.mixed + zlib.crc32(f"{order['id']}/{order['cents']}".encode())) & _MASK
        self._changed[str(number)] = msgspec.to_builtins(bucket)
        yield {
            "bucket": number,
            "orders": 1,
            "cents": order["cents"],
            "counted": bucket.counted,
            "mixed": bucket.mixed,
        }

    def start_commit(self) -> ConnectorState | None:
        changed, self._changed = self._changed, {}
        return derive.merge_patch({"buckets": changed}) if changed else None


if __name__ == "__main__":
    OrderTotals().main()
