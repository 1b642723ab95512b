"""Backfill counters over several runs."""

from pathlib import Path

import pytest

from python.runner.counters import Counter, raised
from python.runner.problems import CatalogError, Where


def counter(key: str, backfill: int) -> Counter:
    return Counter(key=key, backfill=backfill, what=f"the binding {key}", where=Where(Path("test.flow.yaml"), 7))


def test_the_highest_counter_of_each_key_is_known_from_then_on() -> None:
    known = raised([counter("a", 1), counter("b", 0)], {})
    later = raised([counter("a", 3)], {**known, "gone": 2})

    assert (known, later) == ({"a": 1}, {"a": 3, "gone": 2})
    assert raised([counter("a", 3)], later) == later


def test_every_lowered_counter_is_told_with_what_to_do() -> None:
    with pytest.raises(CatalogError) as caught:
        raised([counter("a", 0), counter("b", 1), counter("c", 1)], {"a": 2, "b": 4, "c": 1})

    assert [problem.sentence.partition(":")[0] for problem in caught.value.problems] == [
        "the binding a has the `backfill` counter 0, and had 2 before",
        "the binding b has the `backfill` counter 1, and had 4 before",
    ]
    assert str(caught.value).startswith("test.flow.yaml:7: the binding a")
    assert "set it to 2 to go on, or to 3 to begin anew" in str(caught.value)
