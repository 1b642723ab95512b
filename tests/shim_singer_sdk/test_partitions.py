from __future__ import annotations

from types import MappingProxyType
from typing import Any

from python.shim_singer_sdk.partitions import Partitions


class Search:
    """The SDK's own search, as a fake that counts."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, partitions: list[dict[str, Any]], context: Any) -> dict[str, Any] | None:
        self.calls += 1
        return next((each for each in partitions if each["context"] == context), None)


def test_the_state_of_a_context_is_found_without_a_search() -> None:
    search = Search()
    find = Partitions(search).find
    partitions: list[Any] = [{"context": {"parent": number}} for number in range(10)]

    assert all(find(partitions, {"parent": number}) is partitions[number] for number in range(10))
    assert find(partitions, MappingProxyType({"parent": 3})) is partitions[3]
    assert find(partitions, {"parent": 10}) is None
    assert search.calls == 0


def test_a_partition_that_was_added_since_is_found() -> None:
    find = Partitions(Search()).find
    partitions: list[Any] = []
    assert find(partitions, {"parent": 1}) is None

    partitions.append({"context": {"parent": 1}})

    assert find(partitions, {"parent": 1}) is partitions[0]


def test_lists_are_kept_apart() -> None:
    find = Partitions(Search()).find
    first: list[Any] = [{"context": {"x": 1}}]
    second: list[Any] = [{"context": {"x": 1}}]

    assert find(first, {"x": 1}) is first[0]
    assert find(second, {"x": 1}) is second[0]


def test_what_has_no_hash_comes_twice_or_is_gone_is_left_to_the_sdk() -> None:
    search = Search()
    find = Partitions(search).find
    twice: list[Any] = [{"context": {"x": 1}}, {"context": {"x": 1}}]
    shorter: list[Any] = [{"context": {"x": 1}}, {"context": {"x": 2}}]
    find(shorter, {"x": 1})
    del shorter[1]

    find(twice, {"x": 1})
    find([{"context": {"x": [1]}}], {"x": [1]})
    find(shorter, {"x": 2})

    assert search.calls == 3
