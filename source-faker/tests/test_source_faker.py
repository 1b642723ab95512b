from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from python.acceptance.snapshot_check import Snapshots
from tests.conversing import Ended, converse

FOLDER = Path(__file__).parent.parent
PYTHON = FOLDER / ".venv" / "bin" / "python"
CONFIG = {"count": 200, "seed": 42, "parallelism": 1, "records_per_slice": 50, "always_updated": True}

pytest_plugins = ("python.acceptance.snapshot_fixture",)
pytestmark = pytest.mark.slow


def asked(*requests: dict[str, Any]) -> Ended:
    return converse([str(PYTHON), "-m", "source-faker"], {"spec": {}}, *requests)


def opened(discovered: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    bindings = [
        {
            "resourceConfig": found["resourceConfig"],
            "resourcePath": found["resourcePath"],
            "stateKey": found["recommendedName"],
            "collection": {"name": "acmeCo/x", "key": found["key"], "writeSchema": found["documentSchema"]},
        }
        for found in discovered["discovered"]["bindings"]
    ]
    capture = {"name": "acmeCo/source-faker", "config": CONFIG, "bindings": bindings}
    return {"open": {"capture": capture, "range": {"keyEnd": 0xFFFF_FFFF}, "state": state}}


@pytest.fixture(scope="module")
def first() -> Ended:
    return asked({"discover": {"config": CONFIG}})


def captured(ended: Ended, binding: int) -> list[Any]:
    found = [response["captured"] for response in ended.responses if "captured" in response]
    return [each["doc"] for each in found if each.get("binding", 0) == binding]


def test_what_it_says_and_captures_is_as_it_was(connector_snapshots: Snapshots) -> None:
    connector_snapshots.check()


def test_every_document_comes(first: Ended) -> None:
    capture = asked(opened(first.responses[1], {}))

    assert (first.status, capture.status) == (0, 0)
    assert [len({doc["id"] for doc in captured(capture, binding)}) for binding in range(3)] == [100, 200, 200]
    assert capture.kinds[-1] == "checkpoint"


def test_after_a_checkpoint_in_the_middle_everything_comes_again(first: Ended) -> None:
    resource = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}}}
    resource["stream"]["stream_state"] = {"seed": 42, "updated_at": "2024-01-01T00:00:00+00:00", "loop_offset": 50}  # type: ignore[index] # a literal
    state = {"bindingStateV1": {"users": {"rowId": 50, "state": resource}}}

    again = asked(opened(first.responses[1], state))

    assert len({doc["id"] for doc in captured(again, 1)}) == 200
