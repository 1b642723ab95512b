"""What a warehouse tells of connectors: the newest file counts, and what cannot be read costs nothing else."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from python.registry.generation.listing import listing_of
from python.registry.generation.metrics import Metrics, metrics_of
from python.registry.store.memory import MemoryStore
from tests.registry.generation.buckets import NOW


def line(**members: Any) -> bytes:
    row = {"connector_definition_id": "A-1", "airbyte_platform": "oss", **members}
    return json.dumps({"_airbyte_ab_id": "1", "_airbyte_data": row}).encode()


def told(*lines: bytes) -> Metrics:
    store = MemoryStore()
    store.put("connector_metrics/a.jsonl", b"\n".join(lines))
    return metrics_of(store, listing_of(store))


def test_what_is_counted_is_told_by_connector_and_platform() -> None:
    found = told(line(usage="high", more=1), line(airbyte_platform="all", connector_version="1.0.0", usage="null"))

    assert found == {"a-1": {"all": {"connector_version": "1.0.0"}, "oss": {"usage": "high"}}}
    assert list(found["a-1"]) == ["all", "oss"]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"",
        b"nonsense",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        b'{"_airbyte_data": 1}',
        line(usage="huge"),
        line(usage=None),
        line(airbyte_platform="moon"),
        line(connector_definition_id=None),
    ],
)
def test_a_line_that_says_nothing_is_left_out_alone(nonsense: bytes) -> None:
    assert told(nonsense, line(connector_definition_id="b", usage="low")) == {"b": {"oss": {"usage": "low"}}}


def test_the_newest_file_counts_whatever_it_is_called() -> None:
    times = iter([NOW, NOW - dt.timedelta(days=1), NOW + dt.timedelta(days=1)])
    store = MemoryStore(now=lambda: next(times))
    store.put("connector_metrics/b.jsonl", line(usage="high"))
    store.put("connector_metrics/c.jsonl", line(usage="low"))
    store.put("connector_metrics/read.me", b"no metrics")

    assert metrics_of(store, listing_of(store)) == {"a-1": {"oss": {"usage": "high"}}}


def test_no_file_is_no_metrics() -> None:
    store = MemoryStore()

    assert metrics_of(store, listing_of(store)) == {}


def test_a_file_that_is_deleted_meanwhile_is_no_metrics() -> None:
    store = MemoryStore()
    store.put("connector_metrics/a.jsonl", line(usage="high"))
    listing = listing_of(store)
    store.delete("connector_metrics/a.jsonl")

    assert metrics_of(store, listing) == {}
