from __future__ import annotations

from typing import Any

import pytest

from python.shim_singer_sdk.entries import Entry
from tests.singer_messages import rows, target


@pytest.mark.parametrize(
    ("bookmark", "resumes"),
    [
        (None, False),
        ("", False),
        ("2024-01-01", True),
        (7, True),
        ({}, False),
        ({"replication_key_value": 1}, True),
        ({"version": 1}, True),
        ({"starting_replication_value": "2024-01-01", "replication_key_signpost": "2024-02-01"}, False),
        ({"partitions": []}, False),
        ({"partitions": [{"context": {"x": 1}}, {"context": {"x": 2}}]}, False),
        ({"partitions": [{"context": {"x": 1}}, {"context": {"x": 2}, "replication_key_value": 1}]}, True),
    ],
)
def test_a_stream_goes_on_from_what_says_where(bookmark: Any, resumes: bool) -> None:
    assert Entry(target("a"), {"rowId": 1, "state": bookmark}).resumes is resumes


def test_a_full_table_that_is_appended_to_follows_all_rows_there_may_be() -> None:
    entry = Entry(rows("a"), {"rowId": 2, "previousRows": 6})

    entry.append()

    assert (entry.target.row_id, entry.json()) == (6, {"rowId": 6})


def test_a_stream_that_is_read_again_forgets_its_bookmark_and_its_rows() -> None:
    entry = Entry(rows("a", "INCREMENTAL"), {"rowId": 6, "state": {"v": 1}, "version": 2})

    entry.restart()

    assert (entry.target.row_id, entry.json()) == (0, {"rowId": 0})
