"""A conversation between the runtime and a connector, seen from either end: which message is legal now.

A session holds no bytes and does no I/O. Each end steps its own session with every message it sends and receives; two
sessions that saw the same messages are always in the same state. Legality is a table, one per protocol (see
`capture_session`, `derive_session`, `materialize_session`); what a table cannot say stands beside it in the same file.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

import msgspec

from python.protocol.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from python.protocol.wire import FromRuntime

__all__ = ["Breach", "Machine", "Role", "Session"]


class Role(enum.Enum):
    """Which end of the conversation is ours."""

    RUNTIME = "the runtime"
    CONNECTOR = "the connector"


class Breach(msgspec.Struct, frozen=True):
    """Why a message is not legal: a sentence, and the number of the conformance rule (0: none)."""

    sentence: str
    rule: int = 0


Kind = type[msgspec.Struct]
States = tuple[enum.Enum, ...]


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """One table of a protocol: what may follow in each state, and which state follows.

    A message whose type stands nowhere in the table is of no concern to this machine. `final` are the states in which
    the connector may end; `rules` maps a message type to the conformance rule that its place in the table comes from.
    """

    start: enum.Enum
    transitions: Mapping[enum.Enum, Mapping[Kind, enum.Enum]]
    final: frozenset[enum.Enum]
    rules: Mapping[Kind, int]

    def alphabet(self) -> frozenset[Kind]:
        """Return the message types this machine has an opinion on."""
        return frozenset(kind for edges in self.transitions.values() for kind in edges)


class Session:
    """One conversation. `ours` says which end we are; `step` it with each message, sent or received, in order.

    A message that is not legal raises LocalProtocolError where it was ours and RemoteProtocolError where it was the
    other end's, and changes nothing. Subclasses name their protocol's machines and add what no table says.
    """

    machines: tuple[Machine, ...]

    def __init__(self, ours: Role) -> None:
        self._ours = ours
        self._states = tuple(machine.start for machine in self.machines)
        self._alphabets = [machine.alphabet() for machine in self.machines]
        self._known: dict[States, dict[Kind, States | None]] = {}
        self._here = self._known.setdefault(self._states, {})

    @property
    def states(self) -> States:
        """The state of each machine."""
        return self._states

    def legal(self) -> frozenset[Kind]:
        """Return the message types that the tables allow now, of both ends."""
        every = frozenset[Kind]().union(*self._alphabets)
        return frozenset(kind for kind in every if self._following(kind) is not None)

    def step(self, message: msgspec.Struct) -> None:
        """Take part of `message`, which either end has sent."""
        following = self._following(type(message))
        if following is None:
            raise self._error(message, self._out_of_place(message))
        breach = self.breach(message)
        if breach is not None:
            raise self._error(message, breach)
        self.note(message)
        if following is not self._states:
            self._states = following
            self._here = self._known.setdefault(following, {})

    def step_run(self, run: Sequence[msgspec.Struct]) -> None:
        """Take part of the messages of `run`, which are of one type, one after the other."""
        if self._following(type(run[0])) is not self._states or not self.note_run(run):
            for message in run:
                self.step(message)

    def end(self) -> None:
        """The connector has closed its side. Raises where it must not end here (rule 53 and its kin)."""
        breach = self.unfinished()
        for machine, state in zip(self.machines, self._states, strict=True):
            if breach is None and state not in machine.final:
                breach = Breach(f"the connector ended while {state.value}", rule=28)
        if breach is not None:
            kind = LocalProtocolError if self._ours is Role.CONNECTOR else RemoteProtocolError
            raise kind(breach.sentence, rule=breach.rule)

    def breach(self, message: msgspec.Struct) -> Breach | None:
        """Return why `message`, though in its place, is not legal. Overridden per protocol; must change nothing."""
        del message
        return None

    def note(self, message: msgspec.Struct) -> None:
        """Remember what `breach` will need of `message`. Overridden per protocol; cannot fail."""

    def note_run(self, run: Sequence[msgspec.Struct]) -> bool:
        """Do at once what `note` does of each message of `run`, all of one type and in their place; or return False.

        True is only for runs of which no message is a breach. Overridden per protocol, for what comes by the thousand.
        """
        del run
        return False

    def unfinished(self) -> Breach | None:
        """Return why the connector may not end now, beyond what the tables say. Overridden per protocol."""
        return None

    def _following(self, kind: Kind) -> States | None:
        """Return the states after a message of `kind`, or None where it is not legal. Looked up once for each."""
        if kind not in self._here:
            following = self._looked_up(kind)
            self._here[kind] = self._states if following == self._states else following
        return self._here[kind]

    def _looked_up(self, kind: Kind) -> States | None:
        following: list[enum.Enum] = []
        known = False
        for machine, state, alphabet in zip(self.machines, self._states, self._alphabets, strict=True):
            if kind not in alphabet:
                following.append(state)
                continue
            known = True
            after = machine.transitions.get(state, {}).get(kind)
            if after is None:
                return None
            following.append(after)
        return tuple(following) if known else None

    def _out_of_place(self, message: msgspec.Struct) -> Breach:
        states = " and ".join(str(state.value) for state in self._states)
        legal = ", ".join(sorted(kind.__name__ for kind in self.legal())) or "nothing"
        rule = next((machine.rules[type(message)] for machine in self.machines if type(message) in machine.rules), 0)
        return Breach(f"{type(message).__name__} came while {states}; legal now: {legal}", rule=rule)

    def _error(self, message: msgspec.Struct, breach: Breach) -> ProtocolError:
        sender = Role.RUNTIME if isinstance(message, FromRuntime) else Role.CONNECTOR
        kind = LocalProtocolError if sender is self._ours else RemoteProtocolError
        return kind(f"{sender.value} broke the protocol: {breach.sentence}", rule=breach.rule)
