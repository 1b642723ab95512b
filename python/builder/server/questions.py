"""What most routes make of a request: a manifest that may be run, the engine for it, and what masks its secrets."""

from __future__ import annotations

from typing import Any

import msgspec

from python.builder.jobs import Engine
from python.builder.server.asking import Call, engine_name
from python.builder.server.looking import looked
from python.builder.server.opening import Opened
from python.builder.worker.masking import Masker

__all__ = ["Question", "question"]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest that was looked over, the engine that a request means, and a masker of its config."""

    engine: Engine
    opened: Opened
    masker: Masker


async def question(call: Call[Any]) -> Question:
    """Return what a request asks. Raises Problem for a manifest with errors, unless the request says `lint: false`."""
    opened = msgspec.convert(await looked(call, "open"), Opened)
    return Question(
        engine=call.service.engines.named(engine_name(call)),
        opened=opened,
        masker=Masker(opened.value, getattr(call.ask, "config", {})),
    )
