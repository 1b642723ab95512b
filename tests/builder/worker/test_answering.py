from __future__ import annotations

from typing import Any

import pytest

from python.builder.worker import channel
from python.builder.worker.answering import answer, within
from python.builder.worker.execution import Printed
from python.builder.worker.masking import Masker
from tests.builder.worker.messages import record
from tests.builder.worker.test_watching import watch

JOB = {"command": "test_read", "manifest": {}, "stream": "a"}
LIMITS = {"slices": 5, "pages": 2, "records": 100, "result_bytes": 10_000, "seconds": 60.0}
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


@pytest.mark.parametrize(("messages", "kind"), [([], "manifest"), ([record(a=2**70)], "source")])
def test_records_that_cannot_be_printed_are_no_failure_of_the_manifest(messages: list[Any], kind: str) -> None:
    made = watch()
    if messages:
        list(made.through(iter(messages)))
    printed = Printed(error={"message": "Error handling request: Integer exceeds 64-bit range"})

    told = answer({**JOB, "limits": LIMITS}, printed, made, Masker({}, {}))

    assert told["failure"]["kind"] == kind


@pytest.mark.parametrize(
    ("second", "reached"),
    [({"next_page_token": 2}, ["pages"]), ({"part": "b"}, []), ({"next_page_token": 2, "a": 1}, [])],
)
def test_pages_that_an_old_cdk_shows_as_slices_count_as_pages(second: Any, reached: list[str]) -> None:
    descriptors: list[dict[str, Any]] = [{}, second]
    slices = [{"slice_descriptor": each, "pages": [{"records": []}]} for each in descriptors]
    printed = Printed(record={"data": {"slices": slices, "logs": []}})

    told = answer({**JOB, "limits": LIMITS}, printed, watch(), Masker({}, {}))

    assert told["limits_reached"] == reached
    assert told["result"]["test_read_limit_reached"] is bool(reached)


def test_a_passphrase_of_several_words_is_masked_before_a_body_is_shown_in_part() -> None:
    secret = "correct horse battery staple"
    body = "x" * 60 + f" {secret} " + "y" * 300
    exchange = {"request": {}, "response": {"status": 200, "body": body, "headers": {}}}
    page = {"records": [], **exchange}
    printed = Printed(record={"data": {"slices": [{"slice_descriptor": {}, "pages": [page]}], "logs": []}})
    selector = {"record_selector": {"extractor": {"type": "DpathExtractor", "field_path": ["data"]}}}
    job = {**JOB, "manifest": {"streams": [{"name": "a", "retriever": selector}]}, "limits": LIMITS}

    told = answer(job, printed, watch(), Masker({}, {"password": secret}))

    (hint,) = [log["message"] for log in told["result"]["logs"] if "begins with" in log["message"]]
    assert "****" in hint
    assert "correct" not in hint
