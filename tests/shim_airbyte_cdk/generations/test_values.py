from __future__ import annotations

import datetime as dt
import enum
import types
from typing import Any

from python.shim_airbyte_cdk.generations import values
from tests.airbyte_messages import state, status


class Kind(str, enum.Enum):
    STATE = "STATE"


def test_a_model_is_read_as_the_json_of_the_airbyte_protocol() -> None:
    assert values.plain(status("users", "STARTED")) == {
        "type": "TRACE",
        "trace": {
            "type": "STREAM_STATUS",
            "emitted_at": 0,
            "stream_status": {"stream_descriptor": {"name": "users"}, "status": "STARTED"},
        },
    }


def test_a_state_blob_keeps_members_that_start_with_an_underscore_and_nulls() -> None:
    message = state("users", {"__ab_x": True, "n": None})

    assert values.mapping_of(message.state)["stream"] == {
        "stream_descriptor": {"name": "users"},
        "stream_state": {"__ab_x": True, "n": None},
    }


def test_a_state_that_the_source_changes_later_stays_as_it_was() -> None:
    live: dict[str, Any] = {"shops": [{"at": 1}]}
    read = values.mapping_of(state("users", live).state)

    live["shops"][0]["at"] = 2

    assert read["stream"]["stream_state"] == {"shops": [{"at": 1}]}  # type: ignore[index] # it is an object


def test_what_is_no_model_is_returned_as_it_is() -> None:
    class Day(dt.date):
        """As pendulum's: a date of a class of its own, whose instances have members."""

    day = Day(2024, 1, 2)

    assert values.plain({"at": day, 1: (Kind.STATE,)}) == {"at": day, "1": ["STATE"]}
    assert values.plain(types.MappingProxyType({"a": 1})) == {"a": 1}


def test_what_is_no_object_is_an_empty_one() -> None:
    assert values.mapping([1]) == {}
    assert values.mapping_of(None) == {}
