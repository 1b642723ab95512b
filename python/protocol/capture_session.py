"""The legal order of the capture protocol (protocol reference, section 3.3)."""

from __future__ import annotations

import enum

import msgspec

from python.protocol.capture import (
    Acknowledge,
    Applied,
    Apply,
    BackfillBegin,
    BackfillComplete,
    Captured,
    Checkpoint,
    Discover,
    Discovered,
    Open,
    Opened,
    SourcedSchema,
    Spec,
    SpecResponse,
    Validate,
    Validated,
)
from python.protocol.session import Breach, Machine, Role, Session

__all__ = ["CAPTURE", "CaptureSession", "State"]


class State(enum.Enum):
    """Where a capture's conversation stands."""

    IDLE = "waiting for a request"
    SPECIFYING = "answering spec"
    DISCOVERING = "answering discover"
    VALIDATING = "answering validate"
    APPLYING = "answering apply"
    OPENING = "answering open"
    STREAMING = "capturing"


CAPTURE = Machine(
    start=State.IDLE,
    transitions={
        State.IDLE: {
            Spec: State.SPECIFYING,
            Discover: State.DISCOVERING,
            Validate: State.VALIDATING,
            Apply: State.APPLYING,
            Open: State.OPENING,
        },
        State.SPECIFYING: {SpecResponse: State.IDLE},
        State.DISCOVERING: {Discovered: State.IDLE},
        State.VALIDATING: {Validated: State.IDLE},
        State.APPLYING: {Applied: State.IDLE},
        State.OPENING: {Opened: State.STREAMING},
        State.STREAMING: {
            Captured: State.STREAMING,
            SourcedSchema: State.STREAMING,
            Checkpoint: State.STREAMING,
            BackfillBegin: State.STREAMING,
            BackfillComplete: State.STREAMING,
            Acknowledge: State.STREAMING,
        },
    },
    final=frozenset({State.IDLE, State.STREAMING}),
    rules={
        **dict.fromkeys((Spec, Discover, Validate, Apply, Open), 15),
        **dict.fromkeys((SpecResponse, Discovered, Validated, Applied), 28),
        Opened: 48,
        **dict.fromkeys((Captured, SourcedSchema, Checkpoint, BackfillBegin, BackfillComplete), 49),
        Acknowledge: 61,
    },
)


class CaptureSession(Session):
    """A capture's conversation, and its counts.

    `pending_checkpoints` were emitted and not yet acknowledged (counted only with explicit acknowledgements);
    `in_sequence` says that a captured document or sourced schema waits for its checkpoint.
    """

    machines = (CAPTURE,)

    def __init__(self, ours: Role) -> None:
        super().__init__(ours)
        self.pending_checkpoints = 0
        self.in_sequence = False
        self._bindings = 0
        self._asked = 0
        self._explicit = False
        self._first_shard = True
        self._begun: frozenset[int] = frozenset()

    def step(self, message: msgspec.Struct) -> None:
        """Take part of `message`. A document amid a sequence is by far the most frequent, and changes nothing."""
        if type(message) is Captured and self.in_sequence and 0 <= message.binding < self._bindings:
            return
        super().step(message)

    def breach(self, message: msgspec.Struct) -> Breach | None:
        """Return why `message` is not legal beyond its place: a binding out of range, or a wrong count."""
        if isinstance(message, (Captured, SourcedSchema)):
            return self._binding_out_of_range(message.binding)
        if isinstance(message, Acknowledge):
            return self._acknowledge_breach(message)
        if isinstance(message, (BackfillBegin, BackfillComplete)):
            return self._marker_breach(message)
        if isinstance(message, Validated) and len(message.bindings) != self._asked:
            return Breach(f"Validated has {len(message.bindings)} bindings, but {self._asked} were asked", rule=39)
        return None

    def note(self, message: msgspec.Struct) -> None:
        """Keep the counts."""
        if isinstance(message, (Captured, SourcedSchema)):
            self.in_sequence = True
        elif isinstance(message, Checkpoint):
            self.in_sequence = False
            self.pending_checkpoints += self._explicit
        elif isinstance(message, Acknowledge):
            self.pending_checkpoints -= message.checkpoints
        elif isinstance(message, Validate):
            self._asked = len(message.bindings)
        elif isinstance(message, Open):
            self._bindings = len(message.capture.bindings)
            self._first_shard = message.range is None or message.range.key_begin == 0
        elif isinstance(message, Opened):
            self._explicit = message.explicit_acknowledgements
        elif isinstance(message, BackfillBegin):
            self._begun |= {message.binding}

    def unfinished(self) -> Breach | None:
        """Documents after the last checkpoint would never commit."""
        if self.in_sequence:
            return Breach("the connector ended after documents without a checkpoint", rule=53)
        return None

    def _binding_out_of_range(self, binding: int) -> Breach | None:
        if 0 <= binding < self._bindings:
            return None
        return Breach(f"binding {binding} is out of range: {self._bindings} bindings are open", rule=11)

    def _acknowledge_breach(self, message: Acknowledge) -> Breach | None:
        if not self._explicit:
            return Breach("Acknowledge came, but opened did not ask for acknowledgements", rule=61)
        if not 1 <= message.checkpoints <= self.pending_checkpoints:
            return Breach(
                f"Acknowledge counts {message.checkpoints} checkpoints, but {self.pending_checkpoints} are pending",
                rule=62,
            )
        return None

    def _marker_breach(self, message: BackfillBegin | BackfillComplete) -> Breach | None:
        if not self._first_shard:
            return Breach("a backfill marker came from a shard that is not the first", rule=66)
        if isinstance(message, BackfillComplete) and message.binding not in self._begun:
            return Breach(f"BackfillComplete of binding {message.binding} came without a BackfillBegin", rule=66)
        return self._binding_out_of_range(message.binding)
