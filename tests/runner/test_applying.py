from __future__ import annotations

import msgspec
import pytest

from python.protocol.capture import Applied
from python.protocol.errors import HeadwaterError
from python.protocol.patch import merge_patch
from python.runner.applying import Round, rounds


def test_an_apply_that_returns_no_state_is_the_last() -> None:
    assert list(rounds(lambda _: Applied(action_description="made a slot"), {"n": 1})) == [
        Round("made a slot", {"n": 1}, last=True)
    ]


def test_a_returned_state_is_sent_with_the_next_round() -> None:
    sent: list[object] = []

    def ask(state: msgspec.Raw) -> Applied:
        sent.append(msgspec.json.decode(state))
        return Applied(state=merge_patch({"round": len(sent)})) if len(sent) < 3 else Applied()

    found = list(rounds(ask, {"n": 1}))

    assert sent == [{"n": 1}, {"n": 1, "round": 1}, {"n": 1, "round": 2}]
    assert found[-1] == Round("", {"n": 1, "round": 2}, last=True)


def test_a_connector_that_returns_state_for_ever_does_not_converge() -> None:
    with pytest.raises(HeadwaterError, match=r"returned state 3 times \(rule 46\)"):
        list(rounds(lambda _: Applied(state=merge_patch({})), {}))


def test_each_round_is_given_before_the_next_is_asked() -> None:
    asked = 0

    def ask(_: msgspec.Raw) -> Applied:
        nonlocal asked
        asked += 1
        return Applied(state=merge_patch({}))

    going = rounds(ask, {})
    next(going)

    assert asked == 1
