"""Noticing a source that makes no progress, telling where it waits, and ending the wait."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from typing import Protocol

from python.shell.interruption import ATTEMPT_SECONDS, Interruption

__all__ = ["SAMPLES", "STALL_SECONDS_MAX", "Stalled", "Watched", "stacks", "watching"]

STALL_SECONDS_MAX = 3 * 60 * 60.0
"""How long a source may give no record, state or status: longer than a server may be silent (`timeouts`), so that this
is told of as what it is."""

SAMPLES = 20
"""How often progress is looked at in that time: a stall is noticed a twentieth late at most."""

_OURS = "headwater-"
_logger = logging.getLogger(__name__)


class Stalled(BaseException):
    """Unwinds a source that makes no progress. Not an Exception: a source must not take it for a failed request."""


class Watched(Protocol):
    """What is watched. Its members are read on another thread."""

    @property
    def busy(self) -> bool:
        """Whether something is being asked of the source: not so while those who read from us take their time."""

    @property
    def in_source(self) -> bool:
        """Whether the main thread runs code of the source, and may be interrupted."""

    @property
    def progress(self) -> object:
        """A value which changes with all that the source gives."""

    def stalled(self, seconds: float) -> str:
        """Take note that nothing has come for `seconds`; return a sentence that says whose failure this is."""


@contextlib.contextmanager
def watching(watched: Watched, seconds_max: float, *, attempt_seconds: float = ATTEMPT_SECONDS) -> Iterator[None]:
    """Within, the first stall of `watched` is logged with the stacks of all threads, and ended by a `Stalled`.

    Where no exception can end it, the process ends. On another thread than the main one, to which alone signals come,
    nothing is watched.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over = threading.Event()

    def watch() -> None:
        if _waited(watched, seconds_max, over):
            sentence = watched.stalled(seconds_max)
            _logger.error("%s", sentence, extra={"stacks": stacks()})
            interruption.end(sentence)

    with Interruption(Stalled, lambda: watched.in_source, attempt_seconds=attempt_seconds) as interruption:
        threading.Thread(target=watch, name=f"{_OURS}stalls", daemon=True).start()
        try:
            yield
        finally:
            over.set()


def _waited(watched: Watched, seconds_max: float, over: threading.Event) -> bool:
    """Return True as soon as `watched` has been busy without progress for `seconds_max`, False when it is `over`."""
    seen, since = watched.progress, time.monotonic()
    while not over.wait(seconds_max / SAMPLES):
        now, progress = time.monotonic(), watched.progress
        if progress != seen or not watched.busy:
            seen, since = progress, now
        elif now - since >= seconds_max:
            return True
    return False


def stacks() -> Mapping[str, list[str]]:
    """Return where each thread of the source is, by the thread's name: lines, the innermost call last."""
    threads = {thread.ident: thread for thread in threading.enumerate()}
    found: dict[str, list[str]] = {}
    for ident, frame in sys._current_frames().items():  # noqa: SLF001 -- documented, and the only way
        name = threads[ident].name if ident in threads else f"thread {ident}"
        if not name.startswith(_OURS):
            lines = "".join(traceback.format_stack(frame)).splitlines()
            found[name if name not in found else f"{name} ({ident})"] = lines
    return found
