from __future__ import annotations

import ctypes
import json
import mmap
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

from python.builder.worker import pages

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is told of a process's pages")

SIZE = os.sysconf("SC_PAGE_SIZE")
COUNT = 64


def in_a_fork(work: Callable[[], Any]) -> Any:
    """What `work` returns in a process forked for it."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, json.dumps(work()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        told = file.read()
    assert os.waitpid(pid, 0)[1] == 0
    return json.loads(told)


def memory() -> tuple[mmap.mmap, int]:
    """Private memory of `COUNT` pages, each in use, and its address."""
    made = mmap.mmap(-1, COUNT * SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    made[:] = b"a" * len(made)
    return made, ctypes.addressof(ctypes.c_char.from_buffer(made))


def own(start: int) -> list[int]:
    """Which of the pages from `start` on this process has of its own."""
    runs = pages.written()
    return [at for at in range(COUNT) if any(low <= start + at * SIZE < high for low, high in runs)]


def test_the_pages_that_a_process_wrote_to_since_its_fork_are_told() -> None:
    made, start = memory()

    def write() -> list[int]:
        for at in (3, 4, 60):
            made[at * SIZE] = 0
        return own(start)

    assert in_a_fork(lambda: own(start)) == []
    assert in_a_fork(write) == [3, 4, 60]


def test_pages_are_copied_before_they_are_written_to_and_stay_as_they_are() -> None:
    made, start = memory()

    def copy() -> list[Any]:
        pages.copy([[start + 3 * SIZE, start + 5 * SIZE]])
        return [own(start), made[:] == b"a" * len(made)]

    assert in_a_fork(copy) == [[3, 4], True]


def test_pages_that_are_not_there_are_passed_over() -> None:
    made, start = memory()

    def copy() -> list[int]:
        pages.copy([[SIZE, 2 * SIZE], [start, start + SIZE]])
        return own(start)

    assert in_a_fork(copy) == [0]
    assert len(made) == COUNT * SIZE
