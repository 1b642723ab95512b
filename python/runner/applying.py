"""Applying a task's spec until its connector has nothing left to do (protocol reference, section 3.3; rule 46)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from python.protocol import document
from python.protocol.errors import HeadwaterError
from python.protocol.flow import ConnectorState
from python.protocol.patch import apply_state

__all__ = ["APPLY_ROUNDS_MAX", "Applied", "Round", "rounds"]

APPLY_ROUNDS_MAX = 3
"""A connector that still returns state after this many applies does not converge."""


class Applied(Protocol):
    """What a connector answers to `apply`, whatever its protocol."""

    @property
    def action_description(self) -> str:
        """What was done, or an empty text."""

    @property
    def state(self) -> ConnectorState | None:
        """A change of the state, which asks for another round; None says that all is done."""


class Round(msgspec.Struct, frozen=True):
    """One apply: what the connector says it did, the task's state after it, and whether it was the `last`."""

    action: str
    state: object
    last: bool


def rounds(ask: Callable[[msgspec.Raw], Applied], state: object) -> Iterator[Round]:
    """Yield each apply, from `state` on; taking the next one says that the state of the last is kept.

    `ask` sends an `apply` with the state that it is given. Raises HeadwaterError where it never ends.
    """
    for _ in range(APPLY_ROUNDS_MAX):
        applied = ask(msgspec.Raw(document.encode(state)))
        last = applied.state is None
        state = state if applied.state is None else apply_state(state, applied.state)
        yield Round(applied.action_description, state, last)
        if last:
            return
    raise HeadwaterError(f"apply does not converge: it returned state {APPLY_ROUNDS_MAX} times (rule 46)")
