"""What the options of a preview mean."""

from __future__ import annotations

import pytest

from python.protocol.errors import HeadwaterError
from python.runner.preview_options import Meaning, Options, meaning, stopped_after
from python.runner.stop import Stop


def test_texts_become_values() -> None:
    options = Options(source="s", sessions="1,0,-1", timeout="1m", delay="500ms", initial_state='{"a": 1}')

    assert meaning(options) == Meaning(targets=[1, 0, -1], state={"a": 1}, timeout_seconds=60, delay_seconds=0.5)
    assert meaning(Options(source="s")) == Meaning(targets=[-1], state={}, timeout_seconds=None, delay_seconds=0)


@pytest.mark.parametrize(
    ("option", "text", "sentence"),
    [
        ("sessions", "1,x", "--sessions is '1,x'; it is a list of counts"),
        ("timeout", "soon", "--timeout: "),
        ("delay", "soon", "--delay: "),
        ("initial_state", "{", "--initial-state is not JSON: "),
    ],
)
def test_what_means_nothing_is_told_by_its_option(option: str, text: str, sentence: str) -> None:
    with pytest.raises(HeadwaterError) as caught:
        meaning(Options(source="s", **{option: text}))  # type: ignore[arg-type] # all of these are texts

    assert str(caught.value).startswith(sentence)


def test_the_time_limit_asks_to_stop_and_without_one_nobody_asks() -> None:
    limited, free = Stop(), Stop()
    with stopped_after(0.001, limited):
        limited.wait(10)
    with stopped_after(None, free):
        free.wait(0.01)

    assert (limited.asked, free.asked) == (True, False)
