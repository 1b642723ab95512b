from __future__ import annotations

from typing import Any

import pytest

from python.builder.worker import channel
from python.builder.worker.answering import within

LOG = {"level": "INFO", "message": "kept"}


def outcome(*pages: int, reached: tuple[str, ...] = ()) -> dict[str, Any]:
    slices = [
        {"slice_descriptor": {"n": index}, "state": [], "pages": [{"records": [{"id": n}]} for n in range(count)]}
        for index, count in enumerate(pages)
    ]
    result = {"slices": slices, "logs": [LOG], "test_read_limit_reached": False}
    return {"result": result, "failure": None, "limits_reached": list(reached)}


@pytest.mark.parametrize(("bytes_max", "pages"), [(560, [5, 3]), (480, [5, 0]), (420, [4])])
def test_an_answer_that_is_too_large_loses_its_last_pages(bytes_max: int, pages: list[int]) -> None:
    told = within(outcome(5, 5), bytes_max)

    assert [len(each["pages"]) for each in told["result"]["slices"]] == pages
    assert len(channel.encode(told)) <= bytes_max


def test_an_answer_that_lost_pages_tells_of_it_once() -> None:
    told = within(within(outcome(5, 5, reached=("records",)), 500), 500)

    assert told["limits_reached"] == ["records", "result_bytes"]
    assert told["result"]["test_read_limit_reached"] is True
    assert told["result"]["logs"][0] == LOG
    assert [each["message"] for each in told["result"]["logs"][1:]] == [
        "the read ended where its result would have more than 500 bytes (limit result_bytes)"
    ]


@pytest.mark.parametrize("result", [None, {"manifest": {"a": "b" * 100}}])
def test_an_answer_without_pages_stays_as_it_is(result: Any) -> None:
    whole = {"result": result, "failure": None, "limits_reached": []}

    assert within(whole, 10) == whole
