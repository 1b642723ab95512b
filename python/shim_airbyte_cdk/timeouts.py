"""Default timeouts for the source's connections: a server that falls silent would hold a capture for ever.

What has none by itself is `requests`, and every library that leaves it to Python's sockets, such as urllib3 and urllib.
aiohttp, httpx and botocore bound a request themselves.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import socket
from collections.abc import Iterator

__all__ = ["CONNECT_SECONDS_MAX", "SILENCE_SECONDS_MAX", "default_timeouts"]

CONNECT_SECONDS_MAX = 60.0
SILENCE_SECONDS_MAX = 2 * 60 * 60.0
"""How long a server may take to say anything: reports that are made on demand take up to hours."""


@contextlib.contextmanager
def default_timeouts(
    connect_seconds_max: float = CONNECT_SECONDS_MAX, silence_seconds_max: float = SILENCE_SECONDS_MAX
) -> Iterator[None]:
    """Within, connections that name no timeout have one: in all threads, and in sessions that were made before, too.

    Sockets that were opened before keep theirs, and afterwards everything is as it was.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(silence_seconds_max if before is None else before)
    try:
        with _bounded_requests((connect_seconds_max, silence_seconds_max)):
            yield
    finally:
        socket.setdefaulttimeout(before)


@contextlib.contextmanager
def _bounded_requests(timeout: tuple[float, float]) -> Iterator[None]:
    """Within, `requests` hands on `timeout` where it would hand on none, which to a socket means for ever.

    Sessions look `send` up in their class at each request, so it does not matter when and where they were made.
    """
    if importlib.util.find_spec("requests") is None:
        yield
        return
    session = importlib.import_module("requests").Session
    send = session.send

    @functools.wraps(send)
    def bounded(self: object, request: object, **options: object) -> object:
        if options.get("timeout") is None:
            options["timeout"] = timeout
        return send(self, request, **options)

    session.send = bounded
    try:
        yield
    finally:
        session.send = send
