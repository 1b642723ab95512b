from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from python.shell.interruption import ATTEMPTS_MAX, Interruption
from tests.conversing import ROOT


class Enough(BaseException):
    pass


class Inside:
    """Whether the main thread may be interrupted."""

    def __init__(self) -> None:
        self.here = False
        self.entered = threading.Event()

    def __call__(self) -> bool:
        return self.here

    def __enter__(self) -> None:
        self.here = True
        self.entered.set()

    def __exit__(self, *_: object) -> None:
        self.here = False


def interrupted(wait: Callable[[], Any]) -> None:
    """Run `wait` and interrupt it from another thread."""
    inside = Inside()
    with Interruption(Enough, inside, attempt_seconds=0.02) as interruption:

        def end() -> None:
            inside.entered.wait()
            interruption.end("given up")

        other = threading.Thread(target=end)
        other.start()
        with inside:
            wait()
    other.join()


def _waits_for_a_pipe() -> None:
    reader, _ = os.pipe()
    os.read(reader, 1)


@pytest.mark.parametrize(
    "wait",
    [threading.Event().wait, _waits_for_a_pipe, lambda: signal.sigtimedwait([signal.SIGUSR2], 60)],
    ids=["lock", "pipe", "system call"],
)
def test_a_main_thread_that_is_blocked_is_interrupted(wait: Callable[[], Any]) -> None:
    with pytest.raises(Enough):
        interrupted(wait)


def test_what_catches_it_and_waits_again_is_interrupted_again() -> None:
    seen: list[type[BaseException]] = []

    def stubborn() -> None:
        for _ in range(3):
            with pytest.raises(Enough) as caught:
                threading.Event().wait()
            seen.append(caught.type)
        threading.Event().wait()

    with pytest.raises(Enough):
        interrupted(stubborn)
    assert seen == [Enough] * 3


def test_nothing_is_raised_elsewhere() -> None:
    with Interruption(Enough, lambda: False, attempt_seconds=0.001) as interruption:
        other = threading.Thread(target=interruption.end, args=("not said",))
        other.start()
        other.join()


def test_what_is_inside_now_and_then_is_interrupted_there() -> None:
    inside = Inside()

    def now_and_then() -> None:
        with Interruption(Enough, inside, attempt_seconds=0.02) as interruption:
            threading.Thread(target=interruption.end, args=("not said",)).start()
            while True:
                with inside:
                    pass

    with pytest.raises(Enough):
        now_and_then()


def test_afterwards_the_signal_is_what_it_was() -> None:
    before = signal.getsignal(signal.SIGURG)
    with Interruption(Enough, lambda: False):
        assert signal.getsignal(signal.SIGURG) is not before

    assert signal.getsignal(signal.SIGURG) == before


def test_a_process_that_no_signal_reaches_ends_with_the_sentence() -> None:
    code = """
import logging, signal, threading
from python.shell.interruption import Interruption
logging.basicConfig(format="%(message)s")
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGURG])  # as good as a library in C that waits
with Interruption(KeyboardInterrupt, lambda: True, attempt_seconds=0.001) as interruption:
    threading.Thread(target=interruption.end, args=("given up",), daemon=True).start()
    threading.Event().wait()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (1, "given up\n")
    assert ATTEMPTS_MAX > 1
