"""What fails is done again, until it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from python.protocol.errors import HeadwaterError
from python.runner.problems import CatalogError, Where
from python.runner.restarting import SECONDS_MAX, Restarting
from python.runner.stop import Stop


class Impatient(Stop):
    """A stop that nobody waits for, and that is asked for after so many waits."""

    def __init__(self, waits_max: int) -> None:
        super().__init__()
        self.waited: list[float] = []
        self._waits_max = waits_max

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        if len(self.waited) == self._waits_max:
            self.ask()


def failing(times: int, done: list[int]) -> Callable[[], None]:
    def work() -> None:
        done.append(len(done))
        if len(done) <= times:
            raise HeadwaterError(f"no luck with {len(done)}")

    return work


def restarting(stop: Stop, told: list[str], lasting: Iterable[float] = ()) -> Restarting:
    """`lasting` are the seconds that the attempts take."""
    seconds, at, asked = list(lasting), 0.0, 0

    def now() -> float:
        nonlocal at, asked
        asked += 1
        if asked % 2 == 0 and seconds:
            at += seconds.pop(0)
        return at

    return Restarting(stop, told.append, now)


def test_what_fails_is_done_again_later_each_time_until_it_is_done() -> None:
    stop, told, done = Impatient(99), list[str](), list[int]()
    restarting(stop, told).until_done(failing(9, done))

    assert len(done) == 10
    assert stop.waited == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert told[1] == "failed, and starts again in 2 s: no luck with 2"


def test_waits_begin_again_after_an_attempt_that_went_well_for_long() -> None:
    stop, told, done = Impatient(99), list[str](), list[int]()
    restarting(stop, told, [0, 0, SECONDS_MAX, 0]).until_done(failing(4, done))

    assert stop.waited == [1, 2, 1, 2]


def test_a_stop_raises_why_the_last_attempt_failed() -> None:
    stop, told, done = Impatient(2), list[str](), list[int]()
    with pytest.raises(HeadwaterError, match=r"^no luck with 2$"):
        restarting(stop, told).until_done(failing(9, done))
    with pytest.raises(HeadwaterError, match=r"^no luck with 3$"):
        restarting(stop, told).until_done(failing(9, done))

    assert len(stop.waited) == len(told) == 2


@pytest.mark.parametrize("error", [CatalogError.at(Where(Path("test.flow.yaml"), 7), "is wrong"), KeyError("x")])
def test_what_no_attempt_would_mend_is_raised_at_once(error: Exception) -> None:
    def work() -> None:
        raise error

    with pytest.raises(type(error)):
        restarting(Impatient(9), []).until_done(work)
