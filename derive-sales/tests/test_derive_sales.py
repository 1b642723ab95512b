from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.conversing import Ended, converse
from tests.snapshots import Snapshots

PRODUCTS, PURCHASES = 0, 1
FLUSH: dict[str, Any] = {"flush": {}}
COMMIT: dict[str, Any] = {"startCommit": {"runtimeCheckpoint": {}}}
LANCIA = {"id": 7, "make": "Lancia", "price": 100.5, "_meta": {"row_id": 1}}


@pytest.fixture
def kept(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Snapshots)


def opening(state: Any = None) -> dict[str, Any]:
    transforms = [
        {"name": "fromProducts", "shuffleKey": ["/id"]},
        {"name": "fromPurchases", "shuffleKey": ["/product_id"]},
    ]
    collection = {"name": "acmeCo/sales", "key": ["/make"], "derivation": {"config": {}, "transforms": transforms}}
    return {"open": {"collection": collection, "version": "1", "state": state or {}}}


def read(transform: int, doc: dict[str, Any]) -> dict[str, Any]:
    return {"read": {"transform": transform, "doc": doc}}


def purchase(number: int, product: int, *, paid: bool = True) -> dict[str, Any]:
    at = {"purchased_at": "2024-01-01T00:00:00Z"} if paid else {}
    return read(PURCHASES, {"id": number, "product_id": product, **at})


def derived(*requests: dict[str, Any], state: Any = None) -> Ended:
    end = converse([sys.executable, "-m", "derive-sales"], {"spec": {}}, opening(state), *requests)
    assert end.status == 0, end.stderr
    return end


def sales(end: Ended) -> list[Any]:
    return [response["published"]["doc"] for response in end.responses if "published" in response]


def test_spec_and_a_transaction_are_as_they_were(kept: SnapshotAssertion) -> None:
    end = derived(purchase(1, 7), read(PRODUCTS, LANCIA), purchase(2, 7), FLUSH, COMMIT)

    assert end.responses[0] == kept(name="spec")
    assert end.responses[1:] == kept(name="transaction")


def test_a_purchase_is_counted_once_however_often_it_is_read() -> None:
    first = derived(read(PRODUCTS, LANCIA), purchase(1, 7), purchase(1, 7), FLUSH, COMMIT)
    state = first.responses[-1]["startedCommit"]["state"]["updated"]
    second = derived(purchase(1, 7), purchase(2, 7), FLUSH, COMMIT, state=state)

    assert sales(first) == [{"make": "Lancia", "purchases": 1, "revenue": 100.5}]
    assert sales(second) == sales(first)


def test_what_waits_for_its_product_waits_over_sessions() -> None:
    first = derived(purchase(1, 7), purchase(2, 7, paid=False), FLUSH, COMMIT)
    state = first.responses[-1]["startedCommit"]["state"]["updated"]
    second = derived(read(PRODUCTS, LANCIA), FLUSH, COMMIT, state=state)

    assert state == {"waiting": {"1": "7"}}
    assert sales(second) == [{"make": "Lancia", "purchases": 1, "revenue": 100.5}]
    assert json.dumps(second.responses[-1]).count("null") == 1  # what no longer waits is removed


def test_a_reset_forgets_what_was_counted() -> None:
    end = derived(read(PRODUCTS, LANCIA), purchase(1, 7), {"reset": {}}, read(PRODUCTS, LANCIA), purchase(1, 7))

    assert len(sales(end)) == 2


def test_a_document_that_is_no_purchase_is_named() -> None:
    end = converse([sys.executable, "-m", "derive-sales"], opening(), read(PURCHASES, {"id": "one"}))

    assert end.status == 1
    assert end.reason.startswith("transform fromPurchases: a document is not what its method reads: /id is 'one', want")
