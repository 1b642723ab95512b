"""What most routes make of a request: a manifest that may be run, the engine for it, and what masks its secrets."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from python.builder.jobs import Engine
from python.builder.server.asking import Call, engine_name, seconds
from python.builder.server.looking import looked
from python.builder.server.opening import Opened
from python.builder.worker.masking import Masker

__all__ = ["Question", "question"]

_SECONDS_MIN = 0.1  # of a job that begins at the last moment


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest that was looked over, the engine that a request means, and a masker of its config.

    `until` is the request's deadline, by the clock of the event loop: looking over and running have one between them.
    """

    engine: Engine
    opened: Opened
    masker: Masker
    until: float

    def seconds_left(self) -> float:
        """Return how long a job may take that begins now; in tenths, since people are told of it."""
        return max(round(self.until - _now(), 1), _SECONDS_MIN)


async def question(call: Call[Any]) -> Question:
    """Return what a request asks. Raises Problem for a manifest with errors, unless the request says `lint: false`."""
    until = _now() + seconds(call.service.settings, call.ask.deadline)
    opened = msgspec.convert(await looked(call, "open"), Opened)
    return Question(
        engine=call.service.engines.named(engine_name(call)),
        opened=opened,
        masker=Masker(opened.value, getattr(call.ask, "config", {})),
        until=until,
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
