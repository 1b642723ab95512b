from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.materialize_sql.fences import Held, take_over
from python.protocol.errors import ConnectorError
from python.protocol.flow import RangeSpec

LAST = 15  # ranges of 4 bits show as much as those of 32


def own(begin: int, end: int) -> RangeSpec:
    return RangeSpec(key_begin=begin, key_end=end)


def test_the_first_session_begins_at_nothing() -> None:
    assert take_over([], own(0, LAST)) == [Held(0, LAST, 1, "")]


def test_the_same_range_goes_on_behind_a_new_fence() -> None:
    assert take_over([Held(0, LAST, 7, "c")], own(0, LAST)) == [Held(0, LAST, 8, "c")]


def test_a_split_leaves_the_rest_where_it_was() -> None:
    assert take_over([Held(0, LAST, 7, "c")], own(4, 7)) == [
        Held(4, 7, 8, "c"),
        Held(0, 3, 8, "c"),
        Held(8, LAST, 8, "c"),
    ]


def test_equal_checkpoints_are_joined_and_others_are_not() -> None:
    assert take_over([Held(0, 7, 2, "c"), Held(8, LAST, 5, "c")], own(0, LAST)) == [Held(0, LAST, 6, "c")]
    with pytest.raises(ConnectorError, match="the shards of 00000000-0000000f are to be joined, but have not come"):
        take_over([Held(0, 7, 2, "c"), Held(8, LAST, 5, "d")], own(0, LAST))


def test_a_part_that_was_never_stored_is_at_no_checkpoint() -> None:
    with pytest.raises(ConnectorError, match="not come equally far"):
        take_over([Held(0, 7, 2, "c")], own(0, LAST))


@given(st.lists(st.tuples(st.integers(0, LAST), st.integers(0, LAST)).map(sorted), max_size=12))
def test_ranges_never_overlap_and_every_fence_is_new(openings: list[list[int]]) -> None:
    rows: list[Held] = []
    seen: set[Held] = set()
    for begin, end in openings:
        overlapping = [row for row in rows if row.key_begin <= end and row.key_end >= begin]
        taken = take_over(overlapping, own(begin, end))
        rows = [row for row in rows if row not in overlapping] + taken

        assert (taken[0].key_begin, taken[0].key_end) == (begin, end)
        assert not seen & set(taken)
        assert all(row.fence > old.fence for row in taken for old in overlapping)
        covered = [key for row in rows for key in range(row.key_begin, row.key_end + 1)]
        assert len(covered) == len(set(covered))
        seen |= set(taken)
