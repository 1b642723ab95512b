from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from python.builder.worker.progress import Progress, descriptor
from tests.builder.worker.messages import error, exchange, log, record


def events(*messages: SimpleNamespace, ended: bool = True) -> list[tuple[str, Any]]:
    told: list[tuple[str, Any]] = []
    progress = Progress("a", lambda kind, data: told.append((kind, data)))
    for message in messages:
        progress.see(message)
    if ended:
        progress.end()
    return told


def shape(told: list[tuple[str, Any]]) -> list[Any]:
    """Slices by descriptor, pages by URL and count, logs by message."""
    return [
        data["slice_descriptor"]
        if kind == "slice"
        else (data["request"]["url"], len(data["records"]))
        if kind == "page"
        else data["message"]
        for kind, data in told
    ]


def test_a_page_of_an_old_cdk_is_a_request_a_response_and_the_records_after_them() -> None:
    page = [
        log('request:{"url": "/1", "http_method": "GET", "headers": {}, "body": null}'),
        log('response:{"status_code": 200, "headers": {}, "body": "{}"}'),
        record(a=1),
    ]

    told = events(*page, *page)

    assert shape(told) == [("/1", 1), ("/1", 1)]
    assert told[0][1]["response"] == {"status": 200, "headers": {}, "body": "{}"}


@pytest.mark.parametrize("text", ["request: no object", "response:{}", "request:{", "response:{", "request:[]"])
def test_a_log_that_only_begins_like_an_exchange_is_a_log(text: str) -> None:
    assert shape(events(log(text))) == [text]


def test_a_page_is_an_exchange_with_the_records_after_it() -> None:
    told = events(exchange("/1"), record(a=1), record(a=2), exchange("/2"), record(a=3))

    assert shape(told) == [("/1", 2), ("/2", 1)]
    assert told[0][1]["response"] == {"status": 200, "headers": {}, "body": "{}"}


def test_a_slice_is_told_with_its_first_page_and_once() -> None:
    told = events(log('slice:{"p": 1}'), log('slice:{"p": 1}'), exchange("/1"), log('slice:{"p": 2}'), exchange("/2"))

    assert shape(told) == [{"p": 1}, ("/1", 0), {"p": 2}, ("/2", 0)]


def test_logs_and_errors_are_told_at_once() -> None:
    told = events(exchange("/1"), log("hello", "WARN"), error("broken"), ended=False)

    assert told == [
        ("log", {"message": "hello", "level": "WARN"}),
        ("log", {"message": "broken", "level": "ERROR", "internal_message": "inside"}),
    ]


def test_exchanges_for_something_else_are_no_pages() -> None:
    assert events(exchange("/token", auxiliary=True), exchange("/other", stream="b")) == []


@pytest.mark.parametrize("text", ["{", "{}", '{"http": 3}', "{" * 9])
def test_logs_that_only_look_like_exchanges_are_logs(text: str) -> None:
    assert shape(events(log(text))) == [text]


@pytest.mark.parametrize(
    ("told", "meant"),
    [('"{}"', {}), ("{}", {}), ('{"a": 1}', {"a": 1}), ({"a": 1}, {"a": 1}), ("x", "x"), (None, None)],
)
def test_a_descriptor_is_an_object_however_it_is_told(told: Any, meant: Any) -> None:
    assert descriptor(told) == meant
