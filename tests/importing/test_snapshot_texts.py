from __future__ import annotations

import decimal
from typing import Any

import pytest

from python.importing import snapshot_texts as texts
from python.importing.snapshot_settings import Settings


def test_a_spec_is_a_list_of_one_in_flow_s_order_of_fields() -> None:
    spec = {"resourcePathPointers": [], "x": 1, "configSchema": {}, "protocol": 1}

    (kept,) = texts.spec_lines(spec, Settings())

    assert list(kept) == ["protocol", "configSchema", "resourcePathPointers", "x"]


def test_bindings_are_in_flow_s_order_of_fields() -> None:
    binding = {"key": [], "resourcePath": [], "documentSchema": {}, "resourceConfig": {}, "recommendedName": "a"}

    (kept,) = texts.discovered_lines([binding], Settings())

    assert list(kept) == ["recommendedName", "resourceConfig", "documentSchema", "key", "resourcePath"]


def test_documents_have_their_members_sorted_and_their_digits_kept() -> None:
    (kept,) = texts.captured_lines([("acmeCo/a", b'{"b":1.10,"a":{"d":1e400,"c":null}}')], Settings())

    assert kept == ["acmeCo/a", {"a": {"c": None, "d": decimal.Decimal("1e400")}, "b": decimal.Decimal("1.10")}]
    assert list(kept[1]) == ["a", "b"]
    assert '"b": 1.10' in texts.text_of([kept])


def lines(**settings: Any) -> list[str]:
    documents = [(name, b'{"n":%d}' % n) for name, count in (("a", 4), ("b", 3)) for n in range(count)]
    return [f"{name}{doc['n']}" for name, doc in texts.captured_lines(documents, Settings(**settings))]


def test_the_first_lines_are_kept_and_the_first_document_of_each_collection() -> None:
    assert lines(lines=2) == ["a0", "a1", "b0"]
    assert lines(lines=5) == ["a0", "a1", "a2", "a3", "b0"]


def test_so_many_documents_of_each_collection_are_kept_where_settings_say_so() -> None:
    assert lines(each=2) == ["a0", "a1", "b0", "b1"]


@pytest.mark.parametrize(
    ("kept", "now", "same", "tolerated"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True, True),
        ([{"a": 1}], [{"a": 1, "b": 2}], False, True),
        ([{"a": 1, "b": 2}], [{"a": 1}], False, False),
        ({"a": {"x": [{"y": 1}]}}, {"a": {"x": [{"y": 1, "z": 2}]}}, False, True),
        ([1], [1, 2], False, False),
        (1, True, False, False),
        (decimal.Decimal("1.10"), decimal.Decimal("1.1"), False, False),
        ({"a": 1}, [1], False, False),
    ],
)
def test_only_new_members_are_tolerated(kept: Any, now: Any, same: Any, tolerated: Any) -> None:
    assert texts.is_same(kept, now) is same
    assert texts.is_same(kept, now, tolerant=True) is tolerated


def test_a_difference_is_bounded() -> None:
    short = texts.diff("x", "a\n", "b\n")
    long = texts.diff("x", "", "\n".join(map(str, range(1000))))

    assert short.splitlines() == ["--- x (kept)", "+++ x (now)", "@@ -1 +1 @@", "-a", "+b"]
    assert len(long.splitlines()) == texts.DIFF_LINES_MAX + 1
    assert long.endswith("… and 803 lines more")
