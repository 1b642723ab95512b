from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.protocol.state_key import KEY_END_MAX, encode_state_key, key_hash


@pytest.mark.parametrize(
    ("path", "backfill", "key"),
    [
        (["a", "cdc", "table+baz"], 3, "a%2Fcdc%2Ftable+baz.v3"),
        (["some", "path"], 0, "some%2Fpath"),
        (["-_+.=", "ü½", "% /"], 0, "-_+.=%2Fü½%2F%25%20%2F"),
        (["€"], 1, "%E2%82%AC.v1"),
        ([], 0, ""),
    ],
)
def test_a_state_key_is_the_encoded_path_and_the_backfill(path: list[str], backfill: int, key: str) -> None:
    assert encode_state_key(path, backfill) == key


@given(st.text())
def test_a_hash_has_32_bits_and_is_the_same_each_time(unit: str) -> None:
    unit = unit.encode(errors="replace").decode()

    assert 0 <= key_hash(unit) <= KEY_END_MAX
    assert key_hash(unit) == key_hash(unit)


def test_hashes_do_not_change_between_versions() -> None:
    assert [key_hash(unit) for unit in ("", "users", "products")] == [0, 3495761925, 2926803703]


def test_similar_names_spread_over_the_whole_range() -> None:
    quarters = [key_hash(f"stream{number}") >> 30 for number in range(400)]

    assert all(60 <= quarters.count(quarter) <= 140 for quarter in range(4))
