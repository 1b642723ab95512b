"""Stopping at a boundary: SIGTERM and SIGINT end the process between checkpoint sequences, never inside of one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

from python.shell.signals import Watch

__all__ = ["DRAIN_SECONDS_MAX", "Stopped", "Stopping"]

DRAIN_SECONDS_MAX = 20.0
"""How long the current checkpoint sequence may take to finish after SIGTERM, in seconds. Container platforms kill after
30; a sequence which takes longer is repeated by the next session."""

_POKE_SECONDS = 0.1  # how often a main thread that is blocked is told of the signal until it has noticed
_POKES_MAX = 20  # a source that installs a handler of its own never lets ours notice


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
        self._watch = Watch(self._handle, self._drain)
        self.guarded = False
        self._boundary = True
        self._finished = threading.Event()
        self.requested = False

    def install(self) -> None:
        """Handle the signals from now on. Call on the main thread."""
        self._watch.start()

    def finish(self) -> None:
        """There is nothing left to stop: the process is ending by itself, and signals no longer matter."""
        self.guarded = True
        self._finished.set()
        if threading.current_thread() is threading.main_thread():
            self._watch.ignore()

    def at_boundary(self, boundary: bool) -> None:  # noqa: FBT001 -- it is what the method is about
        """Say whether the process could stop now, with nothing half said. Raises `Stopped` where it was asked to.

        The main thread may be interrupted from now on.
        """
        self._boundary = boundary
        self.guarded = False
        if boundary and self.requested:
            raise Stopped

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """On the main thread: stop now if that is possible. Once: a second signal must not interrupt the unwinding."""
        del number, frame
        first, self.requested = not self.requested, True
        if first and self._boundary and not self.guarded:
            raise Stopped

    def _drain(self) -> None:
        """On the watch's thread: see that the main thread notices, and that it does not take for ever."""
        main = threading.main_thread().ident
        assert main is not None  # noqa: S101 -- it is running
        for _ in range(_POKES_MAX):
            if self.requested or self._finished.wait(_POKE_SECONDS):
                break
            signal.pthread_kill(main, signal.SIGTERM)
        if not self._finished.wait(self._drain_seconds_max):
            self._on_deadline()
