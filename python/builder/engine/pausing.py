"""When something that failed is tried again."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Pause"]

_SECONDS_FIRST = 2.0
_SECONDS_MAX = 300.0  # a start costs seconds of CPU; who mends an interpreter looks at it within minutes


class Pause:
    """How long something that failed is left alone: not at all at first, then twice as long with each failure."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Nothing has failed yet. `now` tells the time in seconds."""
        self.failures = 0
        self._now = now
        self._failed = 0.0

    def fail(self) -> None:
        """Begin a pause: it has failed, once more since it last went well."""
        self.failures += 1
        self._failed = self._now()

    def end(self) -> None:
        """Forget all failures."""
        self.failures = 0

    def left_seconds(self) -> float:
        """Return how much of the pause is left, 0 if it may be tried."""
        if not self.failures:
            return 0.0
        whole = min(_SECONDS_MAX, _SECONDS_FIRST * 2.0 ** min(self.failures - 1, 32))
        return max(0.0, self._failed + whole - self._now())

    def text(self) -> str:
        """Return when it was tried, and when it will be again."""
        left = self.left_seconds()
        again = f"the first request in {left:.0f} s or later" if left else "the next request"
        return f"tried {self._now() - self._failed:.0f} s ago; {again} tries again"
