from __future__ import annotations

from python.shim_common.values import items, mapping


def test_what_is_not_of_the_type_is_empty() -> None:
    assert (mapping([1]), items({"a": 1})) == ({}, [])
