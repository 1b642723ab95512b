from __future__ import annotations

import os
import signal

import pytest

from python.runner.stop import Stop, until_signal


def test_sessions_that_are_open_are_told_and_ended_ones_are_not() -> None:
    told: list[str] = []
    stop = Stop()
    with stop.telling(lambda: told.append("open")):
        with stop.telling(lambda: told.append("ended")):
            pass
        stop.ask()

    assert (told, stop.asked) == (["open"], True)


def test_a_session_that_opens_later_is_told_at_once() -> None:
    told: list[str] = []
    stop = Stop()
    stop.ask()
    with stop.telling(lambda: told.append("late")):
        assert told == ["late"]


def test_waiting_ends_when_somebody_asks() -> None:
    stop = Stop()
    stop.ask()
    stop.wait(3600)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_and_does_nothing_else_until_the_end(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with until_signal() as stop:
        os.kill(os.getpid(), number)
        stop.wait(60)

        assert stop.asked
    assert signal.getsignal(number) is before
