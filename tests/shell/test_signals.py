from __future__ import annotations

import os
import signal
import threading

import pytest

from python.shell.signals import STOP_SIGNALS, Watch

SECONDS_MAX = 30


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_that_another_thread_gets_is_noticed_while_the_main_thread_waits(number: signal.Signals) -> None:
    noticed = threading.Event()
    watch = Watch(lambda _number, _frame: None, noticed.set)
    watch.start()
    other = threading.Thread(target=noticed.wait, args=(SECONDS_MAX,))
    other.start()
    assert other.ident
    signal.pthread_kill(other.ident, number)
    other.join()
    watch.close()

    assert noticed.is_set()


def test_forked_children_die_of_a_signal_however_early_it_comes() -> None:
    watch = Watch(lambda _number, _frame: None, lambda: None)
    watch.start()
    died_of = set()
    for _ in range(100):
        child = os.fork()
        if not child:
            signal.pause()
            os._exit(0)
        os.kill(child, signal.SIGTERM)
        died_of.add(os.WTERMSIG(os.waitpid(child, 0)[1]))
    watch.close()

    assert died_of == {signal.SIGTERM}


def test_closing_gives_the_signals_back() -> None:
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    watch = Watch(lambda _number, _frame: None, lambda: None)
    watch.start()
    watch.close()

    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before
    assert signal.set_wakeup_fd(-1) == -1
