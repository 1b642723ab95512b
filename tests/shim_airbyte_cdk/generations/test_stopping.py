from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from python.shim_airbyte_cdk.generations import stopping
from tests.airbyte_messages import record, status

CATALOG: Any = {"streams": [{"stream": {"name": name}} for name in ("a", "b", "c", "d")]}


class Old:
    """A source which stops at its first failing stream."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.asked: list[list[str]] = []

    def read(self, catalog: Any) -> Iterator[Any]:
        names = [each["stream"]["name"] for each in catalog["streams"]]
        self.asked.append(names)
        for name in names:
            yield status(name, "STARTED")
            yield record(name, {"id": name})
            if name in self.failing:
                yield status(name, "INCOMPLETE")
                raise ValueError(f"no {name}")


def told(messages: list[Any]) -> list[Any]:
    return [each.record.data["id"] for each in messages if each.record is not None]


def failures(messages: list[Any]) -> list[Any]:
    return [each.trace["error"] for each in messages if isinstance(each, stopping.Failure)]


def test_the_streams_behind_one_that_failed_are_read_too() -> None:
    source = Old("b", "c")

    messages = list(stopping.read_on(CATALOG, source.read))

    assert told(messages) == ["a", "b", "c", "d"]
    assert source.asked == [["a", "b", "c", "d"], ["c", "d"], ["d"]]


def test_each_failure_is_told_with_its_stream_and_reason() -> None:
    (first, second) = failures(list(stopping.read_on(CATALOG, Old("a", "d").read)))

    assert first["stream_descriptor"] == {"name": "a"}
    assert first["message"] == "ValueError: no a"
    assert "raise ValueError" in first["stack_trace"]
    assert second["stream_descriptor"] == {"name": "d"}


def test_a_failure_that_is_no_stream_s_is_raised() -> None:
    def broken(catalog: Any) -> Iterator[Any]:
        yield status("a", "STARTED")
        raise KeyError("config")

    with pytest.raises(KeyError, match="config"):
        list(stopping.read_on(CATALOG, broken))


def test_one_behind_a_failed_stream_is_told_like_that() -> None:
    source = Old("a")

    def read(catalog: Any) -> Iterator[Any]:
        if source.asked:
            raise KeyError("b")
        return source.read(catalog)

    messages = list(stopping.read_on(CATALOG, read))

    assert [failure["message"] for failure in failures(messages)] == ["ValueError: no a", "KeyError: 'b'"]
    assert failures(messages)[1]["stream_descriptor"] is None


def test_a_sync_without_failures_is_read_once() -> None:
    source = Old()

    assert told(list(stopping.read_on(CATALOG, source.read))) == ["a", "b", "c", "d"]
    assert len(source.asked) == 1


def test_the_newer_cdk_goes_on_by_itself() -> None:
    assert not stopping.stops_at_failures()
