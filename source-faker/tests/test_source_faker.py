from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.conversing import Ended, converse
from tests.snapshots import Snapshots

FOLDER = Path(__file__).parent.parent
PYTHON = FOLDER / ".venv" / "bin" / "python"
CONFIG = {"count": 200, "seed": 42, "parallelism": 1, "records_per_slice": 50, "always_updated": True}

pytestmark = pytest.mark.slow


@pytest.fixture
def kept(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Snapshots)


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


def shape(value: Any) -> Any:
    """The JSON types of a document: faker's values depend on the time and on its worker processes."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return type(value).__name__


@pytest.fixture(scope="module")
def first() -> Ended:
    return asked({"discover": {"config": CONFIG}})


def captured(ended: Ended, binding: int) -> list[Any]:
    found = [response["captured"] for response in ended.responses if "captured" in response]
    return [each["doc"] for each in found if each.get("binding", 0) == binding]


def test_spec_discover_and_capture_are_as_they_were(first: Ended, kept: SnapshotAssertion) -> None:
    capture = asked(opened(first.responses[1], {}))

    assert (first.status, capture.status) == (0, 0)
    assert first.responses[0] == kept(name="spec")
    assert first.responses[1] == kept(name="discover")
    assert [shape(captured(capture, binding)[0]) for binding in range(3)] == kept(name="capture")
    assert [len({doc["id"] for doc in captured(capture, binding)}) for binding in range(3)] == [100, 200, 200]
    assert capture.kinds[-1] == "checkpoint"


def test_after_a_checkpoint_in_the_middle_everything_comes_again(first: Ended) -> None:
    resource = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}}}
    resource["stream"]["stream_state"] = {"seed": 42, "updated_at": "2024-01-01T00:00:00+00:00", "loop_offset": 50}  # type: ignore[index] # a literal
    state = {"bindingStateV1": {"users": {"rowId": 50, "state": resource}}}

    again = asked(opened(first.responses[1], state))

    assert len({doc["id"] for doc in captured(again, 1)}) == 200
