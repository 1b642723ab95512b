"""Signals, noticed at once: whichever thread the kernel gives them to, and whatever the main thread is blocked in.

Python runs a signal's handler on the main thread, when that next runs Python code. The kernel may give the signal to
another thread, though, and a main thread that waits for a lock then never hears of it. So a pipe tells a thread that
does nothing else (the wakeup descriptor of Python's `signal` module).
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

__all__ = ["STOP_SIGNALS", "Watch"]

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
"""The signals that ask a process to end."""

_CLOSED = b"\0"  # no signal has this number


class Watch:
    """Looks out for STOP_SIGNALS: `on_signal` is called for each, on a thread of its own.

    `handler` is installed as Python's handler, and runs on the main thread as soon as that runs Python code. A process
    that is forked off does not inherit any of it: there the signals do what they do by default.
    """

    def __init__(self, handler: Callable[[int, FrameType | None], None], on_signal: Callable[[], None]) -> None:
        self._handler = handler
        self._on_signal = on_signal
        self._mask = threading.local()
        self._watching = False

    def start(self) -> None:
        """Signals are looked out for from now on. Call on the main thread."""
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._thread = threading.Thread(target=self._run, name="headwater-signals", daemon=True)
        self._thread.start()
        self._last_fd = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._last = {number: signal.signal(number, self._handler) for number in STOP_SIGNALS}
        self._watching = True
        os.register_at_fork(before=self._hold, after_in_parent=self._let_go, after_in_child=self._forget)

    def ignore(self) -> None:
        """The signals do nothing from now on. Call on the main thread."""
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def close(self) -> None:
        """The signals do what they did before `start`. Call on the main thread."""
        self._watching = False
        for number, handler in self._last.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._last_fd)
        os.write(self._writer, _CLOSED)
        self._thread.join()
        os.close(self._reader)
        os.close(self._writer)

    def _run(self) -> None:
        while (number := os.read(self._reader, 1)) != _CLOSED:
            if number[0] in STOP_SIGNALS:
                self._on_signal()

    def _hold(self) -> None:
        """Before a fork: a signal that reached the child before `_forget` would be lost."""
        if self._watching:
            self._mask.before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)

    def _let_go(self) -> None:
        if self._watching:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask.before)

    def _forget(self) -> None:
        """In a forked child: whoever forks a worker expects that a signal ends it."""
        if self._watching:
            self._watching = False
            signal.set_wakeup_fd(-1)
            for number in STOP_SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask.before)
