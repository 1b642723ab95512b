"""Requests on their way in: read on a thread of their own, so that a busy source never delays an acknowledgement."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator

from python.protocol.framing import Lines
from python.protocol.wire import FromRuntime

__all__ = ["Requests"]

_READ_BYTES = 64 * 1024
_WAITING_MAX = 4  # requests are answered one at a time; the pipe holds the rest


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
        self._queue: queue.Queue[FromRuntime | None] = queue.Queue(_WAITING_MAX)
        self.failure: Exception | None = None
        threading.Thread(target=self._run, name="headwater-requests", daemon=True).start()

    def __iter__(self) -> Iterator[FromRuntime]:
        """Yield each request; waits for the next one."""
        while (request := self._queue.get()) is not None:
            yield request
        if self.failure:
            raise self.failure

    def _run(self) -> None:
        try:
            for line in self._lines():
                request = self._decode(line)
                if not self._aside(request):
                    self._queue.put(request)
        except Exception as error:  # noqa: BLE001 -- raised again on the main thread
            self.failure = error
        finally:
            self._queue.put(None)

    def _lines(self) -> Iterator[bytes]:
        lines = Lines()
        while chunk := os.read(self._fd, _READ_BYTES):
            yield from lines.feed(chunk)
        lines.end()
