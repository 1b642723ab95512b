"""Messages for each protocol, a few of every kind, legal and not, and walks over its tables with them."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator

import msgspec

from python.protocol import capture, derive, materialize
from python.protocol.capture_session import CaptureSession
from python.protocol.derive_session import DeriveSession
from python.protocol.errors import ProtocolError
from python.protocol.flow import (
    CaptureBinding,
    CaptureSpec,
    CollectionSpec,
    Derivation,
    MaterializationBinding,
    MaterializationSpec,
    RangeSpec,
    Transform,
)
from python.protocol.materialize_session import MaterializeSession
from python.protocol.session import Machine, Role, Session

Edge = tuple[enum.Enum, type[msgspec.Struct], enum.Enum]

EMPTY = msgspec.Raw(b"{}")
SECOND_SHARD = RangeSpec(key_begin=1 << 31, key_end=(1 << 32) - 1)

TWO_CAPTURED = CaptureSpec(bindings=(CaptureBinding(), CaptureBinding()))
TWO_DERIVED = CollectionSpec(derivation=Derivation(transforms=(Transform(), Transform())))
TWO_MATERIALIZED = MaterializationSpec(bindings=(MaterializationBinding(), MaterializationBinding()))

POOLS: dict[type[Session], list[msgspec.Struct]] = {
    CaptureSession: [
        capture.Spec(),
        capture.SpecResponse.of(config_schema=EMPTY, resource_config_schema=EMPTY),
        capture.Discover(),
        capture.Discovered(),
        *[capture.Validate(bindings=(capture.ValidateBinding(),) * count) for count in range(3)],
        *[capture.Validated(bindings=(capture.ValidatedBinding(),) * count) for count in range(3)],
        capture.Apply(),
        capture.Applied(),
        capture.Open(capture=TWO_CAPTURED),
        capture.Open(capture=TWO_CAPTURED, range=SECOND_SHARD),
        capture.Open(),
        capture.Opened(),
        capture.Opened(explicit_acknowledgements=True),
        *[capture.Captured(binding=binding, doc=EMPTY) for binding in range(-1, 3)],
        *[capture.SourcedSchema(binding=binding, document_schema=EMPTY) for binding in range(3)],
        capture.Checkpoint(),
        *[capture.BackfillBegin(binding=binding) for binding in range(3)],
        *[capture.BackfillComplete(binding=binding) for binding in range(3)],
        *[capture.Acknowledge(checkpoints=checkpoints) for checkpoints in range(4)],
    ],
    DeriveSession: [
        derive.Spec(),
        derive.SpecResponse.of(config_schema=EMPTY, resource_config_schema=EMPTY),
        *[derive.Validate(transforms=(derive.ValidateTransform(),) * count) for count in range(3)],
        *[derive.Validated(transforms=(derive.ValidatedTransform(),) * count) for count in range(3)],
        derive.Open(),
        derive.Open(collection=TWO_DERIVED),
        derive.Opened(),
        *[derive.Read(transform=transform) for transform in range(-1, 3)],
        derive.Published(doc=EMPTY),
        derive.Reset(),
        derive.Flush(),
        derive.Flushed(),
        derive.StartCommit(),
        derive.StartedCommit(),
    ],
    MaterializeSession: [
        materialize.Spec(),
        materialize.SpecResponse.of(config_schema=EMPTY, resource_config_schema=EMPTY),
        *[materialize.Validate(bindings=(materialize.ValidateBinding(),) * count) for count in range(3)],
        *[materialize.Validated(bindings=(materialize.ValidatedBinding(),) * count) for count in range(3)],
        materialize.Apply(),
        materialize.Applied(),
        materialize.Open(),
        materialize.Open(materialization=TWO_MATERIALIZED),
        materialize.Opened(),
        materialize.Acknowledge(),
        materialize.Acknowledged(),
        *[materialize.Load(binding=binding) for binding in range(3)],
        *[materialize.Loaded(binding=binding, doc=EMPTY) for binding in range(3)],
        materialize.Flush(),
        materialize.Flushed(),
        *[materialize.Store(binding=binding) for binding in range(3)],
        materialize.StartCommit(),
        materialize.StartedCommit(),
    ],
}
"""Where a message belongs to no protocol's table, it is another protocol's: each is tried on every session."""

FOREIGN: dict[type[Session], msgspec.Struct] = {
    CaptureSession: derive.Flush(),
    DeriveSession: capture.Discover(),
    MaterializeSession: derive.Reset(),
}


def edges(machine: Machine) -> set[Edge]:
    return {(state, kind, after) for state, row in machine.transitions.items() for kind, after in row.items()}


def walk(conversation: type[Session], steps: int, seed: int) -> Iterator[tuple[Machine, Edge]]:
    """Yield each edge that a walk takes, with its machine; the walk starts over now and then."""
    chance = random.Random(seed)
    session = conversation(Role.CONNECTOR)
    for _ in range(steps):
        if chance.random() < 0.02:
            session = conversation(Role.CONNECTOR)
        legal = session.legal()
        message = chance.choice([each for each in POOLS[conversation] if type(each) in legal])
        before = session.states
        try:
            session.step(message)
        except ProtocolError:
            continue
        for machine, state, after in zip(session.machines, before, session.states, strict=True):
            if type(message) in machine.alphabet():
                yield machine, (state, type(message), after)
