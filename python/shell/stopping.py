"""Stopping at a boundary: SIGTERM and SIGINT end the process between checkpoint sequences, never inside of one."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

__all__ = ["DRAIN_SECONDS_MAX", "Stopped", "Stopping"]

DRAIN_SECONDS_MAX = 20.0
"""How long the current checkpoint sequence may take to finish after SIGTERM, in seconds. Container platforms kill after
30; a sequence which takes longer is repeated by the next session."""


class Stopped(BaseException):
    """Unwinds the connector. Not an Exception: the source must not swallow it."""


class Stopping:
    """Turns SIGTERM and SIGINT into a `Stopped` at the next boundary.

    The main thread sets `guarded` while it must not be interrupted, and says with `at_boundary` when it could stop.
    `on_deadline` is called, on a thread of its own, where no boundary comes for `drain_seconds_max` seconds.
    """

    def __init__(self, drain_seconds_max: float, on_deadline: Callable[[], None]) -> None:
        self._drain_seconds_max = drain_seconds_max
        self._on_deadline = on_deadline
        self._process = os.getpid()
        self.guarded = False
        self._boundary = True
        self.requested = False

    def install(self) -> None:
        """Handle the signals from now on. Call on the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    def finish(self) -> None:
        """There is nothing left to stop: the process is ending by itself, and signals no longer matter."""
        self.guarded = True
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)

    def at_boundary(self, boundary: bool) -> None:  # noqa: FBT001 -- it is what the method is about
        """Say whether the process could stop now, with nothing half said. Raises `Stopped` where it was asked to."""
        self._boundary = boundary
        if boundary and self.requested:
            raise Stopped

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del frame
        if os.getpid() != self._process:  # a worker that the source has forked: the signal is its own to die of
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        if not self.requested:
            self.requested = True
            timer = threading.Timer(self._drain_seconds_max, self._on_deadline)
            timer.daemon = True
            timer.start()
        if self._boundary and not self.guarded:
            raise Stopped
