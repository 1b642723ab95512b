from __future__ import annotations

import asyncio

import pytest

from python.builder.engine import processes
from python.builder.engine.processes import Ended, Running, end_of


class Lingering(Running):
    """A process that has closed its socket and does not end, until it is killed if that helps."""

    is_warm = True

    def __init__(self, *, ends_when_killed: bool) -> None:
        self._ends_when_killed = ends_when_killed
        self._ended = asyncio.Event()

    def kill(self) -> None:
        if self._ends_when_killed:
            self._ended.set()

    async def ended(self) -> Ended:
        await self._ended.wait()
        return Ended(code=-9)


@pytest.mark.parametrize(("ends_when_killed", "code"), [(True, -9), (False, None)])
def test_a_process_that_lives_on_after_its_last_word_is_killed_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, ends_when_killed: bool, code: int | None
) -> None:
    monkeypatch.setattr(processes, "_END_SECONDS_MAX", 0.01)

    async def end() -> Ended:
        return await asyncio.wait_for(end_of(Lingering(ends_when_killed=ends_when_killed)), 5.0)

    assert asyncio.run(end()).code == code
