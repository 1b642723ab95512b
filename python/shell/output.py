"""Responses on their way out: buffered, bounded, in order, and never a checkpoint late."""

from __future__ import annotations

import os
import threading

__all__ = ["BUFFER_BYTES_MAX", "CHECKPOINT_SECONDS_MAX", "Output", "ReaderGone"]

BUFFER_BYTES_MAX = 256 * 1024
"""What is held back at most: large enough that a write costs little, small enough to fit any container."""

CHECKPOINT_SECONDS_MAX = 0.25
"""How long a checkpoint waits for more output at most, in seconds; the promise is one second."""


class ReaderGone(BaseException):
    """The runtime reads no more. Not an Exception, nor an OSError: a source has broken pipes of its own."""


class Output:
    """Writes lines to a file descriptor.

    `write` keeps lines back until the buffer is full, or until a checkpoint that ended a sequence has waited for
    CHECKPOINT_SECONDS_MAX. Documents and their checkpoint leave in order. A reader that is gone raises ReaderGone.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()
        self._lines: list[bytes] = []
        self._bytes = 0
        self._complete = 0
        self._tainted = False
        self._closed = threading.Event()

    def write(self, line: bytes, *, ends_sequence: bool) -> None:
        """`line` will be written after all earlier ones. With `ends_sequence`, soon."""
        with self._lock:
            self._lines.append(line)
            self._bytes += len(line)
            if ends_sequence:
                self._complete = len(self._lines)
            if self._bytes >= BUFFER_BYTES_MAX:
                self._flush(len(self._lines))

    def flush(self) -> None:
        """Everything written so far is with the operating system."""
        with self._lock:
            self._flush(len(self._lines))

    def flush_complete(self) -> None:
        """Every complete sequence is with the operating system; an unfinished one stays in the buffer."""
        with self._lock:
            self._flush(self._complete)

    def abandon(self, seconds_max: float) -> bool:
        """Write the complete sequences and drop the unfinished one; say whether none of that one had left already.

        False also where the reader does not take what is being written within `seconds_max`. Nothing is written after
        this: whoever tries to waits for the end of the process, since what follows would stand beside a gap.
        """
        if not self._lock.acquire(timeout=seconds_max):
            return False
        self._flush(self._complete)
        return not self._tainted

    def run_timer(self) -> None:
        """Flush complete sequences until closed. The body of a thread of its own: the source may be slow."""
        while not self._closed.wait(CHECKPOINT_SECONDS_MAX):
            if self._complete:
                self.flush_complete()

    def close(self) -> None:
        """Stop the timer. Nothing is flushed."""
        self._closed.set()

    def _flush(self, count: int) -> None:
        if not count:
            return
        text = b"".join(self._lines[:count])
        del self._lines[:count]
        self._tainted = count > self._complete
        self._complete = 0
        self._bytes -= len(text)
        view = memoryview(text)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except BrokenPipeError:
            raise ReaderGone from None
