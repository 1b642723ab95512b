from __future__ import annotations

import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from source_bigdata import SourceBigdata, rows

from python.acceptance.snapshot_check import Snapshots
from tests.conversing import Ended, converse

CONFIG = {"data_name": "test", "region": "europe", "documents": 9, "page_size": 2}


pytest_plugins = ("python.acceptance.snapshot_fixture",)


def asked(*requests: dict[str, Any]) -> Ended:
    return converse([sys.executable, "-m", "source-bigdata"], {"spec": {}}, *requests)


def test_what_it_says_and_captures_is_as_it_was(connector_snapshots: Snapshots) -> None:
    connector_snapshots.check()


def test_a_config_that_does_not_fit_is_named_without_a_traceback() -> None:
    refused = asked({"validate": {"config": {**CONFIG, "data_name": "Big Data"}}})

    assert refused.status == 1
    assert refused.reason.startswith("config /data_name: got 'Big Data', want text that matches")
    assert "traceback" not in refused.stderr.lower()


def streams(**config: Any) -> dict[str, list[Any]]:
    found: list[Any] = SourceBigdata().streams({**CONFIG, **config})
    return {stream.name: list(stream.read_records()) for stream in found}


@given(st.integers(0, 50))
def test_the_documents_are_divided_evenly(documents: int) -> None:
    counts = [len(found) for found in streams(documents=documents).values()]

    assert sum(counts) == documents
    assert max(counts) - min(counts) <= 1


def test_the_same_config_gives_the_same_data_and_another_one_other_data() -> None:
    assert streams() == streams()
    for stream, found in streams(data_name="other").items():
        assert found != streams()[stream]
    for stream, found in streams(region="asia").items():
        assert found != streams()[stream]


def test_more_documents_begin_with_the_same_ones() -> None:
    for stream, found in streams(documents=30).items():
        assert found[:3] == streams()[stream]


@given(st.integers(0, 10**8))
def test_an_order_s_time_tells_its_number(number: int) -> None:
    (order,) = rows.orders(1, "asia", range(number, number + 1))

    assert rows.order_number(str(order["updated_at"])) == number


def test_orders_resume_after_the_last_one_seen() -> None:
    made: list[Any] = SourceBigdata().streams({**CONFIG, "documents": 30})
    orders = made[1]
    all_orders = list(orders.read_records())
    orders.state = {"updated_at": all_orders[3]["updated_at"]}

    assert list(orders.read_records()) == all_orders[4:]
