"""Requests on their way in: read on a thread of their own, so that a busy source never delays an acknowledgement."""

from __future__ import annotations

import contextlib
import fcntl
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator

from python.protocol.framing import Lines
from python.protocol.wire import FromRuntime

__all__ = ["Requests"]

_READ_BYTES = 64 * 1024  # little, so that a processor has at hand what is made of it
_PIPE_BYTES = 512 * 1024  # eight times a pipe's own size: so much less often does the runtime wait until it can write
_WAITING_MAX = 4  # reads; the pipe holds the rest


class Requests:
    """Iterates over the requests of a file descriptor, in order, until its end.

    `decode` takes lines off the front of those that have come, and returns the run of messages that they are, all of
    one type. `aside` sees each run first, on the reader's thread, and returns True for those it has dealt with, which
    then are not iterated over. What `decode` and `aside` raise is kept in `failure`, and raised where the next request
    is asked for.
    """

    def __init__(
        self, fd: int, decode: Callable[[deque[bytes]], list[FromRuntime]], aside: Callable[[list[FromRuntime]], bool]
    ) -> None:
        self._fd = fd
        _widen(fd)
        self._decode = decode
        self._aside = aside
        self._queue: queue.Queue[list[list[FromRuntime]] | None] = queue.Queue(_WAITING_MAX)
        self.failure: Exception | None = None
        threading.Thread(target=self._run, name="headwater-requests", daemon=True).start()

    @property
    def waiting(self) -> bool:
        """Whether more has come than was iterated over."""
        return not self._queue.empty()

    def batches(self) -> Iterator[list[list[FromRuntime]]]:
        """Yield what has come, as many runs as were read at once; waits for the next ones. Empty after `wake`."""
        while (batch := self._queue.get()) is not None:
            yield batch
        if self.failure:
            raise self.failure

    def wake(self) -> None:
        """Have whoever waits for requests go round once. From any thread; without effect where requests wait."""
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait([])

    def _run(self) -> None:
        lines = Lines()
        try:
            while chunk := os.read(self._fd, _READ_BYTES):
                self._take(deque(lines.feed(chunk)))
            lines.end()
        except Exception as error:  # noqa: BLE001 -- raised again on the main thread
            self.failure = error
        finally:
            self._queue.put(None)

    def _take(self, lines: deque[bytes]) -> None:
        """Queue what was read, up to the run that cannot be."""
        batch: list[list[FromRuntime]] = []
        try:
            while lines:
                run = self._decode(lines)
                if not self._aside(run):
                    batch.append(run)
        finally:
            if batch:
                self._queue.put(batch)


def _widen(fd: int) -> None:
    """A pipe at `fd` holds `_PIPE_BYTES`, where the system knows of such and permits it."""
    with contextlib.suppress(AttributeError, OSError):
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
