from __future__ import annotations

from python.shim_common.values import Json, count, items, mapping


def test_what_is_not_of_the_type_is_empty() -> None:
    assert (mapping([1]), items({"a": 1})) == ({}, [])


def test_a_count_is_an_integer_of_0_or_more() -> None:
    stored: Json = {"none": None, "text": "1", "true": True, "less": -1, "float": 1.0, "zero": 0, "big": 2**64}

    assert {name for name in (*stored, "absent") if count(stored, name) is not None} == {"zero", "big"}
    assert count(stored, "big") == 2**64
