"""A default timeout for `requests`, which has none: a server that falls silent would hold a capture for ever."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
from collections.abc import Iterator

__all__ = ["CONNECT_SECONDS_MAX", "SILENCE_SECONDS_MAX", "default_timeouts"]

CONNECT_SECONDS_MAX = 60.0
SILENCE_SECONDS_MAX = 2 * 60 * 60.0
"""How long a server may take to say anything: reports that are made on demand take up to hours."""


@contextlib.contextmanager
def default_timeouts() -> Iterator[None]:
    """Within, requests that name no timeout have one; where `requests` is not installed, nothing changes."""
    if importlib.util.find_spec("requests") is None:
        yield
        return
    session = importlib.import_module("requests").Session
    send = session.send

    @functools.wraps(send)
    def bounded(self: object, request: object, **options: object) -> object:
        if options.get("timeout") is None:
            options["timeout"] = (CONNECT_SECONDS_MAX, SILENCE_SECONDS_MAX)
        return send(self, request, **options)

    session.send = bounded
    try:
        yield
    finally:
        session.send = send
