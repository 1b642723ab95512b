from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from python.shim_singer_sdk.pipe import ITEMS_MAX, Abandoned, piped

Put = Callable[[int], None]


def test_items_come_in_the_order_they_were_put() -> None:
    def produce(put: Put) -> None:
        for number in range(3 * ITEMS_MAX):
            put(number)

    assert list(piped(produce)) == list(range(3 * ITEMS_MAX))


def test_what_the_producer_raises_comes_after_its_items() -> None:
    def produce(put: Put) -> None:
        put(1)
        raise OSError("gone")

    found = piped(produce)

    assert next(found) == 1
    with pytest.raises(OSError, match="gone"):
        next(found)


def test_a_producer_is_on_a_thread_of_its_own_and_can_install_no_signal_handlers() -> None:
    def produce(put: Callable[[threading.Thread], None]) -> None:
        put(threading.current_thread())

    (thread,) = piped(produce)

    assert thread is not threading.main_thread()


def test_a_producer_is_ahead_by_a_bounded_number() -> None:
    produced = []

    def produce(put: Put) -> None:
        for number in range(10 * ITEMS_MAX):
            put(number)
            produced.append(number)

    found = piped(produce)
    next(found)

    assert len(produced) <= 2 * ITEMS_MAX  # those that were taken together, and those that wait
    assert len(list(found)) == 10 * ITEMS_MAX - 1


def test_a_producer_to_which_nobody_listens_is_unwound() -> None:
    unwound = threading.Event()

    def produce(put: Put) -> None:
        try:
            while True:
                put(1)
        except Exception:  # noqa: BLE001 -- what a tap would do, and must not be able to
            pytest.fail("the tap could swallow it")
        except Abandoned:
            unwound.set()
            raise

    found = piped(produce)
    next(found)
    found.close()  # type: ignore[attr-defined] # it is a generator

    assert unwound.is_set()
