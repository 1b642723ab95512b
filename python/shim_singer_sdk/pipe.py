"""A tap pushes, a capture is pulled from: what a function on another thread puts is yielded here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

__all__ = ["ITEMS_MAX", "LEAVE_SECONDS_MAX", "Abandoned", "piped"]

T = TypeVar("T")

ITEMS_MAX = 100
"""How far a tap may be ahead of what was taken. Records may be large; and with many of them at once, both threads work
at the same time and quarrel over the interpreter's lock, which is slower than to take turns."""

LEAVE_SECONDS_MAX = 1.0
"""How long a tap may take to notice that nobody listens to it any more, in seconds; then its thread is left behind."""


class Abandoned(BaseException):
    """Unwinds a tap that nobody listens to any more. Not an Exception: the tap must not swallow it."""


def piped(produce: Callable[[Callable[[T], None]], None]) -> Iterator[T]:
    """Yield what `produce`, on a thread of its own, puts with the function that it is given; raise what it raises.

    A tap so can neither keep a signal from being noticed, nor install handlers for signals. Where the iteration is
    given up, the next put raises `Abandoned`.
    """
    pipe: _Pipe[T] = _Pipe()
    thread = threading.Thread(target=pipe.run, args=(produce,), name="headwater-tap", daemon=True)
    thread.start()
    try:
        yield from pipe
    finally:
        pipe.leave()
        thread.join(LEAVE_SECONDS_MAX)


class _Pipe(Generic[T]):
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._items: list[T] = []
        self._waiting = self._ended = self._left = False
        self._error: BaseException | None = None

    def run(self, produce: Callable[[Callable[[T], None]], None]) -> None:
        try:
            produce(self._put)
        except BaseException as error:  # noqa: BLE001 -- it is raised where the items are taken
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify()

    def leave(self) -> None:
        with self._changed:
            self._left = True
            self._changed.notify()

    def _put(self, item: T) -> None:
        with self._changed:
            while len(self._items) >= ITEMS_MAX and not self._left:
                self._changed.wait()
            if self._left:
                raise Abandoned
            self._items.append(item)
            if self._waiting:
                self._changed.notify()

    def __iter__(self) -> Iterator[T]:
        while items := self._taken():
            yield from items
        if self._error is not None:
            raise self._error

    def _taken(self) -> list[T]:
        with self._changed:
            self._waiting = True
            while not self._items and not self._ended:
                self._changed.wait()
            self._waiting = False
            taken, self._items = self._items, []
            self._changed.notify()
        return taken
