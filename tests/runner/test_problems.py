from __future__ import annotations

from pathlib import Path

from python.runner.problems import CatalogError, Problem, Where, suggestion


def test_problems_are_told_once_and_by_file_and_line() -> None:
    late = Problem(Where(Path("b.yaml"), 1), "is late.")
    tenth = Problem(Where(Path("a.yaml"), 10), "is tenth.")
    second = Problem(Where(Path("a.yaml"), 2), "is second.")

    error = CatalogError([late, tenth, second, tenth])

    assert str(error) == "a.yaml:2: is second.\na.yaml:10: is tenth.\nb.yaml:1: is late."


def test_a_misspelt_key_is_suggested_whatever_its_case() -> None:
    assert suggestion("Autodiscover", ["autoDiscover", "shards"]) == "; did you mean 'autoDiscover'?"


def test_nothing_is_suggested_for_a_key_that_resembles_none() -> None:
    assert suggestion("zebra", ["autoDiscover", "shards"]) == ""
