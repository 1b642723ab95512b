"""Where a person reads along: a terminal or a pipe, whose reader may leave before we end."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from typing import Protocol

__all__ = ["Outlet", "Writable"]


class Writable(Protocol):
    """What text is told on: stderr, an `Outlet`, or a test's buffer."""

    def write(self, text: str, /) -> int:
        """`text` is on its way."""

    def flush(self) -> None:
        """What was written has arrived."""

    def isatty(self) -> bool:
        """Whether a person sees it as it comes."""

    def fileno(self) -> int:
        """The descriptor that is written to; OSError where there is none."""


class Outlet:
    """A stream whose reader may go. Then `on_gone` is called, once, and what is written from then on is dropped.

    Used from several threads. Nothing written here ever raises: a log that nobody reads must not end a capture amid
    a commit, nor leave a connector with a pipe that nobody empties.
    """

    def __init__(self, stream: Writable, on_gone: Callable[[], None]) -> None:
        self._stream = stream
        self._on_gone = on_gone
        self._lock = threading.Lock()
        self._gone = False

    def write(self, text: str, /) -> int:
        """`text` has reached the reader, or the reader is gone."""
        with self._lock:
            if self._gone:
                return len(text)
            try:
                self._stream.write(text)
                self._stream.flush()
                return len(text)
            except (OSError, ValueError):  # gone, or a disk that is full; ValueError says that it is closed
                self._gone = True
        _silence(self._stream)
        self._on_gone()
        return len(text)

    def flush(self) -> None:
        """Every write has arrived already."""

    def isatty(self) -> bool:
        """Whether a person sees it as it comes."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor that is written to."""
        return self._stream.fileno()


def _silence(stream: Writable) -> None:
    """What is still in the buffer of `stream` will not fail as the interpreter ends."""
    with contextlib.suppress(OSError, ValueError):  # a buffer in memory has no descriptor, and a closed stream neither
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)
