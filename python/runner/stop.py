"""A run's request to stop: made once, by a signal, and told to every session that is open."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from python.protocol.errors import RemoteProtocolError
from python.shell.child import ChildError
from python.shell.signals import Watch

__all__ = ["Stop", "until_signal"]


class Stop:
    """Whether the run was asked to stop. Any thread may ask, look or wait."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._lock = threading.Lock()
        self._open: list[Callable[[], None]] = []

    def ask(self) -> None:
        """Every open session is told, and every later one is told as it opens."""
        with self._lock:
            self._asked.set()
            for tell in self._open:
                tell()

    @property
    def asked(self) -> bool:
        """Whether somebody asked."""
        return self._asked.is_set()

    def wait(self, seconds: float) -> None:
        """Return after `seconds`, or as soon as somebody asks."""
        self._asked.wait(seconds)

    @contextlib.contextmanager
    def telling(self, tell: Callable[[], None]) -> Iterator[None]:
        """Inside of the `with`, `tell` is called once somebody asks; at once, where somebody already has."""
        with self._lock:
            self._open.append(tell)
            if self.asked:
                tell()
        try:
            yield
        finally:
            with self._lock:
                self._open.remove(tell)

    @contextlib.contextmanager
    def excused(self) -> Iterator[None]:
        """A connector that was asked to stop may end without an answer, or amid a transaction, which is dropped."""
        try:
            yield
        except (ChildError, RemoteProtocolError):
            if not self.asked:
                raise


@contextlib.contextmanager
def until_signal() -> Iterator[Stop]:
    """A Stop that SIGTERM and SIGINT ask for, as long as the `with` lasts. Call on the main thread."""
    stop = Stop()
    watch = Watch(lambda _number, _frame: None, stop.ask)
    watch.start()
    try:
        yield stop
    finally:
        watch.close()
