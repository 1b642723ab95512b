from __future__ import annotations

from typing import Any

import pytest

from python.protocol.errors import ConnectorError
from tests.singer_messages import Sync, record, rows, state, target

RAW: dict[str, Any] = {"bookmarks": {"a": {"v": 1}, "gone": {"v": 9}}, "currently_syncing": "a", "odd": None}


def again(name: str) -> Any:
    """A target whose binding is backfilled: its state key is another one."""
    wanted = target(name, state_key=f"{name}.v1")
    wanted.backfill = 1
    return wanted


def test_a_tap_s_own_state_is_taken_over_in_a_first_patch_that_removes_it() -> None:
    sync = Sync([record("a", {"id": 1}), state(a={"v": 2})], target("a"), stored=RAW)

    assert sync.resumed == {"bookmarks": {"a": {"v": 1}}, "currently_syncing": "a"}
    assert sync.patches[0]["bookmarks"] is None
    assert sync.stored == {"bindingStateV1": {"a": {"rowId": 1, "state": {"v": 2}}}}


def test_it_is_taken_over_once_and_goes_on_from_there() -> None:
    first = Sync([], target("a"), stored=RAW)
    second = Sync([], target("a"), stored=first.stored)

    assert first.stored["bindingStateV1"] == {"a": {"rowId": 0, "state": {"v": 1}}}
    assert first.stored.keys() == {"bindingStateV1", "singerStateV1"}
    assert second.resumed == first.resumed


def test_a_bookmark_under_the_stream_s_name_stays_there() -> None:
    sync = Sync([], target("db-a", stream="a"), stored=RAW)

    assert sync.resumed["bookmarks"] == {"a": {"v": 1}}


def test_full_tables_have_nothing_to_continue_and_delete_their_rows_from_then_on() -> None:
    stored = {"bookmarks": {"a": {"v": 1}, "b": {"version": 3}}}

    sync = Sync([record("b", {})], target("a"), rows("b", index=1), stored=stored)

    assert sync.resumed == {"bookmarks": {"a": {"v": 1}}}
    assert sync.stored["bindingStateV1"]["b"]["previousRows"] == 1


def test_a_child_without_a_bookmark_does_not_restart_its_parent() -> None:
    sync = Sync([], target("a"), target("child", index=1), stored=RAW, ancestors={"child": ["a"]})

    assert sync.resumed["bookmarks"] == {"a": {"v": 1}}


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ({"bookmarks": {"gone": {"v": 9}}}, "it has bookmarks of gone"),
        ({"a": {"updated_at": "2024"}}, "it has no bookmarks of a tap"),
        ({"bookmarks": []}, "it has no bookmarks of a tap"),
    ],
)
def test_a_state_of_none_of_the_streams_is_refused_with_the_reason_and_what_to_do(stored: Any, reason: str) -> None:
    with pytest.raises(ConnectorError) as refused:
        Sync([], target("a"), stored=stored)

    assert str(refused.value).startswith(
        f"the stored state cannot be continued for a: it is not of these streams: {reason}. It is "
    )
    assert "raise their backfill counters" in str(refused.value)


def test_such_a_state_goes_where_the_bindings_are_backfilled() -> None:
    sync = Sync([], again("a"), stored={"b": {"n": 1}})

    assert sync.resumed == {"b": {"n": 1}}
    assert sync.stored["bindingStateV1"] == {"a.v1": {"rowId": 0}}


def test_rows_whose_count_nobody_knows_are_refused() -> None:
    with pytest.raises(ConnectorError, match="for a: their rows are numbered, and it does not say how many"):
        Sync([], rows("a", "INCREMENTAL"), stored=RAW)


def test_an_entry_of_an_airbyte_stream_is_refused() -> None:
    entry = {"rowId": 3, "state": {"type": "STREAM", "stream": {"stream_state": {"n": 1}}}}
    stored = {"bindingStateV1": {"a": entry}}

    with pytest.raises(ConnectorError, match="cannot be continued for a: it is of no tap"):
        Sync([], target("a"), stored=stored)
    assert Sync([], again("a"), stored=stored).resumed == {}
