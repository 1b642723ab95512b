"""What fails in a run that goes on is done again, later each time, as Flow restarts the shards of a task."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from python.protocol.errors import HeadwaterError
from python.runner.problems import CatalogError
from python.runner.stop import Stop

__all__ = ["SECONDS_FIRST", "SECONDS_MAX", "Restarting"]

SECONDS_FIRST = 1.0
"""From the first failure to the next attempt; each further one waits twice as long as the one before."""

SECONDS_MAX = 60.0
"""No wait is longer. After an attempt that went well for as long, waits begin again with the first one."""


class Restarting(NamedTuple):
    """How to go on after failures: until `stop` is asked. `told` gets a sentence for each.

    `now` is a clock in seconds.
    """

    stop: Stop
    told: Callable[[str], None]
    now: Callable[[], float] = time.monotonic

    def until_done(self, work: Callable[[], None]) -> None:
        """Do `work`, as often as it takes. Once a stop was asked for, raises why the last attempt failed.

        What is wrong with the spec, or with this program, is raised at once: another attempt would mend neither.
        """
        wait = SECONDS_FIRST
        while True:
            began = self.now()
            try:
                return work()
            except CatalogError:
                raise
            except HeadwaterError as error:
                if self.stop.asked:
                    raise
                failure = str(error)
            if self.now() - began >= SECONDS_MAX:
                wait = SECONDS_FIRST
            self.told(f"failed, and starts again in {wait:g} s: {failure}")
            self.stop.wait(wait)
            if self.stop.asked:
                raise HeadwaterError(failure)
            wait = min(2 * wait, SECONDS_MAX)
