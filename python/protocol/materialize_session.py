"""The legal order of the materialize protocol (protocol reference, section 5.3).

It is two coupled tables. The first is the transaction. The second is the acknowledgement, which runs beside it: the
loads of a transaction may arrive while the one before it is still being applied, but nothing may be loaded from it,
nor flushed, until `Acknowledged`, which may also come before `Acknowledge`.
"""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from python.protocol.materialize import (
    Acknowledge,
    Acknowledged,
    Applied,
    Apply,
    Flush,
    Flushed,
    Load,
    Loaded,
    Open,
    Opened,
    Spec,
    SpecResponse,
    StartCommit,
    StartedCommit,
    Store,
    Validate,
    Validated,
)
from python.protocol.session import Breach, Machine, Role, Session

__all__ = ["ACKNOWLEDGEMENT", "TRANSACTION", "Acknowledgement", "MaterializeSession", "State"]


class State(enum.Enum):
    """Where a materialization's transaction stands."""

    IDLE = "waiting for a request"
    SPECIFYING = "answering spec"
    VALIDATING = "answering validate"
    APPLYING = "answering apply"
    OPENING = "answering open"
    READY = "between transactions"
    LOADING = "loading"
    FLUSHING = "flushing"
    STORING = "storing"
    COMMITTING = "starting the commit"


class Acknowledgement(enum.Enum):
    """Whether the last transaction has been acknowledged."""

    PENDING = "the last transaction is not acknowledged"
    DONE = "the last transaction is acknowledged"


TRANSACTION = Machine(
    start=State.IDLE,
    transitions={
        State.IDLE: {
            Spec: State.SPECIFYING,
            Validate: State.VALIDATING,
            Apply: State.APPLYING,
            Open: State.OPENING,
        },
        State.SPECIFYING: {SpecResponse: State.IDLE},
        State.VALIDATING: {Validated: State.IDLE},
        State.APPLYING: {Applied: State.IDLE},
        State.OPENING: {Opened: State.READY},
        State.READY: {Acknowledge: State.LOADING},
        State.LOADING: {Load: State.LOADING, Loaded: State.LOADING, Flush: State.FLUSHING},
        State.FLUSHING: {Loaded: State.FLUSHING, Flushed: State.STORING},
        State.STORING: {Store: State.STORING, StartCommit: State.COMMITTING},
        State.COMMITTING: {StartedCommit: State.READY},
    },
    final=frozenset({State.IDLE, State.READY, State.LOADING}),
    rules={
        **dict.fromkeys((Spec, Validate, Apply, Open), 15),
        **dict.fromkeys((SpecResponse, Validated, Applied), 28),
        Opened: 48,
        Loaded: 72,
        **dict.fromkeys((Flushed, StartedCommit), 74),
    },
)

ACKNOWLEDGEMENT = Machine(
    start=Acknowledgement.DONE,
    transitions={
        Acknowledgement.PENDING: {Acknowledged: Acknowledgement.DONE},
        Acknowledgement.DONE: {
            Opened: Acknowledgement.PENDING,
            Loaded: Acknowledgement.DONE,
            Flush: Acknowledgement.DONE,
            StartedCommit: Acknowledgement.PENDING,
        },
    },
    final=frozenset(Acknowledgement),
    rules={Acknowledged: 72, Loaded: 72},
)

_binding = operator.attrgetter("binding")
_BEYOND_LOADS = (State.FLUSHING, State.STORING, State.COMMITTING)  # found by identity: asked at every message


class MaterializeSession(Session):
    """A materialization's conversation, with the loads and loadeds of the current transaction counted."""

    machines = (TRANSACTION, ACKNOWLEDGEMENT)

    def __init__(self, ours: Role) -> None:
        super().__init__(ours)
        self._bindings = 0
        self._asked = 0
        self._loads = 0
        self._loadeds = 0

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction has begun that has not committed: loads or stores came, or its flush."""
        return self._loads > 0 or self.states[0] in _BEYOND_LOADS

    def breach(self, message: msgspec.Struct) -> Breach | None:
        """Return why `message` is not legal beyond its place."""
        look = _BREACHES.get(type(message))
        return look(self, message) if look else None

    def note(self, message: msgspec.Struct) -> None:
        """Keep the counts."""
        keep = _NOTES.get(type(message))
        if keep:
            keep(self, message)

    def note_run(self, run: Sequence[msgspec.Struct]) -> bool:
        """Keep the counts of a run of loads, stores or loadeds."""
        kind, count = type(run[0]), len(run)
        if kind not in (Load, Store, Loaded):
            return False
        bindings = set(map(_binding, run))
        if (
            min(bindings) < 0
            or max(bindings) >= self._bindings
            or (kind is Loaded and self._loadeds + count > self._loads)
        ):
            return False
        self._loads += count if kind is Load else 0
        self._loadeds += count if kind is Loaded else 0
        return True

    def _out_of_range(self, message: Load | Store | Loaded) -> Breach | None:
        if 0 <= message.binding < self._bindings:
            return None
        return Breach(f"binding {message.binding} is out of range: {self._bindings} bindings are open", rule=11)

    def _not_loadable(self, message: Loaded) -> Breach | None:
        if self._loadeds < self._loads:
            return self._out_of_range(message)
        return Breach(f"more documents were loaded than the {self._loads} keys asked for", rule=73)

    def _miscounted(self, message: Validated) -> Breach | None:
        if len(message.bindings) == self._asked:
            return None
        return Breach(f"Validated has {len(message.bindings)} bindings, but {self._asked} were asked", rule=39)

    def _note_load(self, _message: Load) -> None:
        self._loads += 1

    def _note_loaded(self, _message: Loaded) -> None:
        self._loadeds += 1

    def _note_commit(self, _message: StartedCommit) -> None:
        self._loads = self._loadeds = 0

    def _note_asked(self, message: Validate) -> None:
        self._asked = len(message.bindings)

    def _note_open(self, message: Open) -> None:
        self._bindings = len(message.materialization.bindings)

    def unfinished(self) -> Breach | None:
        """Ending with loads unanswered would abandon a transaction half-way."""
        if self._loads and State.LOADING in self.states:
            return Breach(f"the connector ended after {self._loads} loads, in the middle of a transaction", rule=79)
        return None


# Looked up by type, since millions of loads and stores pass: none of them is to be asked what else it might be.
_BREACHES: Mapping[type[msgspec.Struct], Callable[[MaterializeSession, Any], Breach | None]] = {
    Load: MaterializeSession._out_of_range,  # noqa: SLF001 -- the table of this module's own class
    Store: MaterializeSession._out_of_range,  # noqa: SLF001 -- same
    Loaded: MaterializeSession._not_loadable,  # noqa: SLF001 -- same
    Validated: MaterializeSession._miscounted,  # noqa: SLF001 -- same
}
_NOTES: Mapping[type[msgspec.Struct], Callable[[MaterializeSession, Any], None]] = {
    Load: MaterializeSession._note_load,  # noqa: SLF001 -- same
    Loaded: MaterializeSession._note_loaded,  # noqa: SLF001 -- same
    StartedCommit: MaterializeSession._note_commit,  # noqa: SLF001 -- same
    Validate: MaterializeSession._note_asked,  # noqa: SLF001 -- same
    Open: MaterializeSession._note_open,  # noqa: SLF001 -- same
}
