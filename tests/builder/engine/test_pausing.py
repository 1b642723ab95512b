from __future__ import annotations

from python.builder.engine.pausing import Pause


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_nothing_waits_before_it_has_failed() -> None:
    assert Pause(Clock()).left_seconds() == 0


def test_a_pause_doubles_with_each_failure_up_to_five_minutes() -> None:
    pause, lengths = Pause(Clock()), []
    for _ in range(10):
        pause.fail()
        lengths.append(pause.left_seconds())

    assert lengths == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_pause_is_over_in_its_time_and_told_in_words() -> None:
    clock = Clock()
    pause = Pause(clock)
    pause.fail()
    clock.seconds += 1.5

    assert pause.left_seconds() == 0.5
    clock.seconds += 1
    assert pause.left_seconds() == 0
    assert pause.text() == "tried 2 s ago; the next request tries again"


def test_what_went_well_again_is_not_held_against_it() -> None:
    pause = Pause(Clock())
    pause.fail()
    pause.end()
    assert pause.left_seconds() == 0

    pause.fail()
    assert pause.left_seconds() == 2
