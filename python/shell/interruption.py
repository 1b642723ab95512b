"""Interrupting the main thread from another one, whatever it is blocked in.

A signal's handler runs on the main thread, also where that waits for a lock, a socket or a clock, and what it raises
unwinds what was waiting. The signal is SIGURG: nobody else uses it, and it does nothing where we have no handler.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

__all__ = ["ATTEMPTS_MAX", "ATTEMPT_SECONDS", "Interruption"]

ATTEMPT_SECONDS = 1.0
ATTEMPTS_MAX = 20
"""How often what is interrupted may catch the exception, or be blocked again while it cleans up."""

_logger = logging.getLogger("headwater")


class Interruption:
    """Inside of the `with`, `end` on another thread raises `error` on the main thread. Enter it on the main thread.

    `inside` says whether the main thread is where it may be interrupted; it is asked on the main thread, too, and
    nothing is raised elsewhere.
    """

    def __init__(
        self, error: type[BaseException], inside: Callable[[], bool], *, attempt_seconds: float = ATTEMPT_SECONDS
    ) -> None:
        self._error = error
        self._inside = inside
        self._attempt_seconds = attempt_seconds
        self._over = threading.Event()

    def __enter__(self) -> Interruption:  # noqa: PYI034 -- `Self` needs Python 3.11
        self._last = signal.signal(signal.SIGURG, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        signal.signal(signal.SIGURG, self._last)

    def end(self, sentence: str) -> None:
        """The main thread has left what `inside` is about, or the `with`; or else the process ends.

        The latter is for code that no signal reaches, such as a library in C that waits; `sentence` is its last log.
        Call on another thread.
        """
        main = threading.main_thread().ident
        assert main is not None  # noqa: S101 -- it is running
        for _ in range(ATTEMPTS_MAX):
            signal.pthread_kill(main, signal.SIGURG)  # where it is not inside just now, it may come back
            if self._over.wait(self._attempt_seconds):
                return
        if self._inside():
            _logger.error("%s", sentence)
            os._exit(1)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._inside():
            raise self._error
