import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.runner.ordering import KEY_DIGITS_MAX, KeyPart, natural, pack_key

parts = st.one_of(
    st.none(),
    st.booleans(),
    st.text(),
    st.integers(),
    st.integers(-(10**40), 10**40),
    st.sampled_from(["\0", "\1", "\2"]),
)
keys = st.lists(parts, min_size=1, max_size=3)
RANKS = {type(None): 0, str: 1, int: 2, bool: 3}


def as_tuples_sort(key: list[KeyPart]) -> list[tuple[int, object]]:
    """The order of FoundationDB's packed tuples, which Flow's keys have."""
    return [
        (RANKS[type(part)], 0 if part is None else part.encode() if isinstance(part, str) else part) for part in key
    ]


@given(keys, keys)
def test_packed_keys_sort_as_packed_tuples_do(one: list[KeyPart], other: list[KeyPart]) -> None:
    one, other = one[: len(other)], other[: len(one)]
    assert (pack_key(one) < pack_key(other)) == (as_tuples_sort(one) < as_tuples_sort(other))
    assert (pack_key(one) == pack_key(other)) == (as_tuples_sort(one) == as_tuples_sort(other))


@given(keys)
def test_a_packed_key_sorts_the_same_as_bytes_and_never_has_a_nul(key: list[KeyPart]) -> None:
    assert "\0" not in pack_key(key)
    assert (pack_key(key) < pack_key(["m"])) == (pack_key(key).encode() < pack_key(["m"]).encode())


def test_one_true_and_the_text_one_are_three_keys() -> None:
    assert len({pack_key([1]), pack_key([True]), pack_key(["1"])}) == 3


def test_an_integer_key_without_end_is_refused() -> None:
    assert pack_key([10**KEY_DIGITS_MAX - 1])
    with pytest.raises(ValueError, match="more than 4000 digits"):
        pack_key([-(10**KEY_DIGITS_MAX)])


def test_natural_order_ranks_types_and_compares_within_them() -> None:
    ordered = [None, False, True, -1, 0.5, 2, "10", "9", [], [1], [1, 0], {}, {"a": 1}, {"a": 2}, {"b": 0}]
    assert sorted([*ordered[7:], *ordered[:7]], key=natural) == ordered
