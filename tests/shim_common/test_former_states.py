from __future__ import annotations

from typing import Any

import pytest

from python.shim_common.former_states import MERGE_FLAG, streams_of

USERS = {"at": "2024"}
STREAM = {"stream_descriptor": {"name": "users", "namespace": "public"}, "stream_state": USERS}
MESSAGE = {"type": "STREAM", "stream": STREAM}


@pytest.mark.parametrize(
    "stored",
    [
        {"users": USERS},
        {"users": USERS, MERGE_FLAG: True, "odd": 1},
        [MESSAGE],
        MESSAGE,
        {"type": "LEGACY", "data": {"users": USERS}},
        {**MESSAGE, "data": {"users": USERS}},
        {"type": "GLOBAL", "global": {"shared_state": {}, "stream_states": [STREAM]}},
    ],
)
def test_each_form_that_airbyte_to_flow_stored_is_understood(stored: Any) -> None:
    assert streams_of(stored) == {"users": USERS}


@pytest.mark.parametrize("stored", [{}, [], None, "odd", {"type": "STREAM"}, {"type": "LEGACY", "data": []}])
def test_what_is_none_of_them_gives_nothing(stored: Any) -> None:
    assert streams_of(stored) == {}
