from __future__ import annotations

import sys
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.conversing import Ended, converse
from tests.snapshots import Snapshots

ADA = {"id": 1, "name": "Ada", "age": 36, "email": "ada@example.com", "address": {"country_code": "GB"}}


@pytest.fixture
def kept(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Snapshots)


def derived(*users: dict[str, Any], **lambda_config: Any) -> Ended:
    transform = {"name": "fromUsers", "lambdaConfig": lambda_config}
    collection = {"name": "acmeCo/contacts", "key": ["/id"], "derivation": {"config": {}, "transforms": [transform]}}
    requests = [{"open": {"collection": collection}}, *({"read": {"doc": user}} for user in users)]
    return converse(
        [sys.executable, "-m", "derive-contacts"], {"spec": {}}, *requests, {"flush": {}}, {"startCommit": {}}
    )


def contacts(end: Ended) -> list[Any]:
    return [response["published"]["doc"]["id"] for response in end.responses if "published" in response]


def test_spec_and_a_transaction_are_as_they_were(kept: SnapshotAssertion) -> None:
    end = derived(ADA, {**ADA, "id": 2, "address": None})

    assert end.status == 0
    assert end.responses[0] == kept(name="spec")
    assert end.responses[1:] == kept(name="transaction")


def test_the_young_and_those_without_an_address_are_left_out() -> None:
    users = [{**ADA, "age": 9}, {**ADA, "id": 2, "email": ""}, {"id": 3, "age": 40}, {**ADA, "id": 4, "age": 18}]

    assert contacts(derived(*users)) == [4]
    assert contacts(derived(*users, minAge=5)) == [1, 4]


def test_there_is_no_state() -> None:
    assert derived(ADA).responses[-1] == {"startedCommit": {}}


def test_a_lambda_that_does_not_fit_is_named() -> None:
    end = derived(ADA, minAge=-1)

    assert end.status == 1
    assert end.reason.startswith("config /transforms/0/lambda/minAge: got -1, want")
