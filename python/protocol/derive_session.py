"""The legal order of the derive protocol (protocol reference, section 4.3)."""

from __future__ import annotations

import enum

import msgspec

from python.protocol.derive import (
    Flush,
    Flushed,
    Open,
    Opened,
    Published,
    Read,
    Reset,
    Spec,
    SpecResponse,
    StartCommit,
    StartedCommit,
    Validate,
    Validated,
)
from python.protocol.session import Breach, Machine, Role, Session

__all__ = ["DERIVE", "DeriveSession", "State"]


class State(enum.Enum):
    """Where a derivation's conversation stands."""

    IDLE = "waiting for a request"
    SPECIFYING = "answering spec"
    VALIDATING = "answering validate"
    OPENING = "answering open"
    READING = "reading"
    FLUSHING = "flushing"
    FLUSHED = "waiting for the commit"
    COMMITTING = "starting the commit"


DERIVE = Machine(
    start=State.IDLE,
    transitions={
        State.IDLE: {Spec: State.SPECIFYING, Validate: State.VALIDATING, Open: State.OPENING},
        State.SPECIFYING: {SpecResponse: State.IDLE},
        State.VALIDATING: {Validated: State.IDLE},
        State.OPENING: {Opened: State.READING},
        State.READING: {
            Read: State.READING,
            Published: State.READING,
            Reset: State.READING,
            Flush: State.FLUSHING,
        },
        State.FLUSHING: {Published: State.FLUSHING, Flushed: State.FLUSHED},
        State.FLUSHED: {StartCommit: State.COMMITTING},
        State.COMMITTING: {StartedCommit: State.READING},
    },
    final=frozenset({State.IDLE, State.READING}),
    rules={
        **dict.fromkeys((Spec, Validate, Open), 15),
        **dict.fromkeys((SpecResponse, Validated), 28),
        Opened: 48,
        Flushed: 69,
        StartedCommit: 69,
        Published: 70,
    },
)


class DeriveSession(Session):
    """A derivation's conversation. A Read names one of the open transforms; Validated answers each of those asked."""

    machines = (DERIVE,)

    def __init__(self, ours: Role) -> None:
        super().__init__(ours)
        self._transforms = 0
        self._asked = 0
        self._reads = 0

    @property
    def in_transaction(self) -> bool:
        """Whether documents were read that have not committed."""
        return self._reads > 0

    def breach(self, message: msgspec.Struct) -> Breach | None:
        """Return why `message` is not legal beyond its place."""
        if isinstance(message, Read) and not 0 <= message.transform < self._transforms:
            return Breach(
                f"transform {message.transform} is out of range: {self._transforms} transforms are open", rule=11
            )
        if isinstance(message, Validated) and len(message.transforms) != self._asked:
            return Breach(f"Validated has {len(message.transforms)} transforms, but {self._asked} were asked", rule=44)
        return None

    def note(self, message: msgspec.Struct) -> None:
        """Keep the counts."""
        if isinstance(message, Read):
            self._reads += 1
        elif isinstance(message, StartedCommit):
            self._reads = 0
        elif isinstance(message, Validate):
            self._asked = len(message.transforms)
        elif isinstance(message, Open):
            derivation = message.collection.derivation
            self._transforms = len(derivation.transforms) if derivation else 0
