from __future__ import annotations

import asyncio
import os
import socket

import pytest

from python.builder.engine import processes
from python.builder.engine.processes import Ended, Plain, Running, Tail, end_of


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


def test_last_words_are_told_also_where_something_keeps_the_pipe_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_TAIL_SECONDS_MAX", 0.05)

    async def said() -> str:
        tail = Tail()
        try:
            os.write(tail.writing, b"x" * 10_000 + b" last words")
            return await asyncio.wait_for(tail.text(), 5.0)
        finally:
            os.close(tail.writing)

    text = asyncio.run(said())
    assert text.endswith("x last words")
    assert len(text) == 8192


def test_a_program_that_cannot_be_started_leaves_no_descriptor() -> None:
    async def fail() -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs, pytest.raises(OSError, match="such"):
            await Plain.start("/no/such/python", {}, theirs)

    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- numbers
    asyncio.run(fail())

    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 -- as above
