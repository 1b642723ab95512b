from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.runner.durations import parse_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5m", 300.0),
        ("1h 30m", 5400.0),
        ("1h30m", 5400.0),
        ("1day 2h", 93_600.0),
        ("250ms", 0.25),
        (" 2 weeks ", 1_209_600.0),
        ("1M", 2_630_016.0),
        ("1m", 60.0),
        ("0", 0.0),
        ("0s", 0.0),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "  ", "5", "m", "5 parsecs", "5m later", "-5m", "1.5h", "5m,3s"])
def test_other_text_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="no duration; write numbers with units, such as"):
        parse_seconds(text)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_hours_and_seconds_add_up(hours: int, seconds: int) -> None:
    assert parse_seconds(f"{hours}h {seconds}s") == hours * 3600 + seconds
