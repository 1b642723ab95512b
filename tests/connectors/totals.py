"""A derivation that tests run as a process: totals of numbers by their last digit, kept in state and by reductions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec

from python import derive


class Config(msgspec.Struct):
    pause_seconds: float = 0.0
    mood: str = "good"


class Totals(msgspec.Struct):
    sums: dict[str, int] = {}
    order: list[str] = []


class Derivation(derive.Connector[Config, dict[str, Any], Totals]):
    documentation_url = "https://example.com/totals"
    resource_config_schema: Any = {"type": ["object", "string", "null"]}

    @derive.transform("numbers")
    def numbers(self, doc: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if self.opened.config.mood == "fail":
            raise derive.ConnectorError(f"no luck with {doc['n']}")
        digit = str(doc["n"] % 10)
        self.state.sums[digit] = self.state.sums.get(digit, 0) + doc["n"]
        yield {"digit": digit, "count": 1, "sum": self.state.sums[digit]}
        time.sleep(self.opened.config.pause_seconds)

    @derive.transform("first")
    def first(self, doc: dict[str, Any]) -> Iterator[dict[str, Any]]:
        return self.ordered(f"first {doc['n']}")

    @derive.transform("second")
    def second(self, doc: dict[str, Any]) -> Iterator[dict[str, Any]]:
        return self.ordered(f"second {doc['n']}")

    @derive.transform("echo")
    def echo(self, doc: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield {"digit": doc["digit"], "sum": doc["sum"], "echo": doc["sum"]}

    def ordered(self, what: str) -> Iterator[dict[str, Any]]:
        self.state.order.append(what)
        yield {"digit": "order", "count": 1, "sum": len(self.state.order), "last": ", ".join(self.state.order)}


if __name__ == "__main__":
    Derivation().main()
