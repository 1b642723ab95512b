from __future__ import annotations

import datetime as dt

import pytest

from python.builder.worker.matching import difference, distance, nearest, written

DAY = dt.timedelta(days=1)


def found(asked: str, recorded: str, later: dt.timedelta = DAY) -> bool:
    return distance(written("GET", asked, None), written("GET", recorded, None), later) is not None


@pytest.mark.parametrize(
    ("asked", "recorded"),
    [
        ("http://h/x?a=1&b=2", "http://h/x?b=2&a=1"),
        ("http://h/x?a=1&a=2", "http://h/x?a=1&a=2"),
        ("http://h/x?k=s3cret&b=2", "http://h/x?b=2&k=****"),
        ("http://h/t/s3cret/x", "http://h/t/****/x"),
        ("http://h/x?until=2026-03-02T10:00:00Z", "http://h/x?until=2026-03-01T09:00:00Z"),
        ("http://h/x?until=2026-03-02", "http://h/x?until=2026-03-01"),
        ("http://h/x?until=2026-03-02T10%3A00%3A00", "http://h/x?until=2026-03-01T09%3A00%3A00"),
        ("http://h/x?until=1772445600", "http://h/x?until=1772359200"),
        ("http://h/x?until=1772445600000", "http://h/x?until=1772359200000"),
        ("http://h/x?from=2020-01-01&until=2026-03-02", "http://h/x?from=2020-01-01&until=2026-03-01"),
    ],
)
def test_the_same_request_is_found(asked: str, recorded: str) -> None:
    assert found(asked, recorded)


@pytest.mark.parametrize(
    ("asked", "recorded"),
    [
        ("http://h/x?page=2", "http://h/x?page=3"),
        ("http://h/x?a=1&a=2", "http://h/x?a=2&a=1"),
        ("http://h/x", "http://h/y"),
        ("http://h/x", "http://other/x"),
        ("http://h/x?until=2026-03-10", "http://h/x?until=2026-03-01"),
        ("http://h/x?until=2026-03-02T00:00:00Z", "http://h/x?until=2026-03-01"),
        ("http://h/x?id=1999999999999", "http://h/x?id=1000000000000"),
        ("http://h/x?until=2026-99-99", "http://h/x?until=2026-88-88"),
        ("http://h/x?k=s&extra=1", "http://h/x?k=****"),
    ],
)
def test_another_request_is_not(asked: str, recorded: str) -> None:
    assert not found(asked, recorded)


def test_a_moment_as_far_from_now_as_it_was_from_then_is_the_same() -> None:
    assert found("http://h/x?since=2026-06-23", "http://h/x?since=2026-02-22", dt.timedelta(days=121))
    assert not found("http://h/x?since=2026-06-23", "http://h/x?since=2026-02-22", dt.timedelta(days=5))


def test_the_methods_of_requests_count() -> None:
    assert distance(written("GET", "http://h", None), written("POST", "http://h", None), DAY) is None


@pytest.mark.parametrize(
    ("asked", "recorded"),
    [
        ('{"a": 1, "b": {"c": 2, "d": 3}}', '{"b": {"d": 3, "c": 2}, "a": 1}'),
        ("client_secret=s3cret&grant=x", "grant=x&client_secret=****"),
        ('{"query": "{ a }", "key": "s3cret"}', '{"key": "****", "query": "{ a }"}'),
        ("<a> text\nof two lines</a>", "<a> text\nof two lines</a>"),
    ],
)
def test_bodies_are_compared_by_what_they_mean(asked: str, recorded: str) -> None:
    assert distance(written("POST", "http://h", asked), written("POST", "http://h", recorded), DAY) == 0.0


def test_bodies_that_differ_make_another_request() -> None:
    first, second = (written("POST", "http://h", body) for body in ('{"page": 1}', '{"page": 2}'))

    assert distance(first, second, DAY) is None


def test_the_nearest_request_and_the_difference_are_told() -> None:
    recorded = [
        written("GET", f"http://h/{path}", None) for path in ("users?page=1", "posts?page=3", "users?page=2&n=9")
    ]
    asked = written("GET", "http://h/users?n=9&page=3", None)

    near = nearest(asked, recorded)

    assert near == recorded[2]
    assert difference(asked, near) == "page=3, where page=2 was recorded"


def test_there_is_nothing_near_in_nothing() -> None:
    assert nearest("GET http://h", []) is None
