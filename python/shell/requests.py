"""Requests on their way in: read on a thread of their own, so that a busy source never delays an acknowledgement."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable, Iterator

from python.protocol.framing import Lines
from python.protocol.wire import FromRuntime

__all__ = ["Requests"]

_READ_BYTES = 64 * 1024
_WAITING_MAX = 4  # reads; the pipe holds the rest


class Requests:
    """Iterates over the requests of a file descriptor, in order, until its end.

    `decode` turns a line into a message. `aside` sees each message first, on the reader's thread, and returns True
    for those it has dealt with, which then are not iterated over. What `decode` and `aside` raise is kept in
    `failure`, and raised where the next request is asked for.
    """

    def __init__(self, fd: int, decode: Callable[[bytes], FromRuntime], aside: Callable[[FromRuntime], bool]) -> None:
        self._fd = fd
        self._decode = decode
        self._aside = aside
        self._queue: queue.Queue[list[FromRuntime] | None] = queue.Queue(_WAITING_MAX)
        self.failure: Exception | None = None
        threading.Thread(target=self._run, name="headwater-requests", daemon=True).start()

    @property
    def waiting(self) -> bool:
        """Whether more has come than was iterated over."""
        return not self._queue.empty()

    def batches(self) -> Iterator[list[FromRuntime]]:
        """Yield what has come, as many requests as were read at once; waits for the next ones. Empty after `wake`."""
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
                self._take(lines.feed(chunk))
            lines.end()
        except Exception as error:  # noqa: BLE001 -- raised again on the main thread
            self.failure = error
        finally:
            self._queue.put(None)

    def _take(self, lines: Iterator[bytes]) -> None:
        """Queue what was read, up to the line that cannot be."""
        batch: list[FromRuntime] = []
        try:
            for line in lines:
                request = self._decode(line)
                if not self._aside(request):
                    batch.append(request)
        finally:
            if batch:
                self._queue.put(batch)
