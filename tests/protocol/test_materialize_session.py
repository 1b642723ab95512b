from __future__ import annotations

import msgspec
import pytest

from python.protocol.errors import LocalProtocolError, ProtocolError
from python.protocol.materialize import (
    Acknowledge,
    Acknowledged,
    Flush,
    Flushed,
    Load,
    Loaded,
    Open,
    Opened,
    StartCommit,
    StartedCommit,
    Store,
    Validate,
    ValidateBinding,
    Validated,
)
from python.protocol.materialize_session import Acknowledgement, MaterializeSession, State
from python.protocol.session import Role
from tests.protocol.walking import EMPTY, TWO_MATERIALIZED

LOADED = Loaded(doc=EMPTY)
TRANSACTION = (Flush(), Flushed(), Store(binding=1), StartCommit(), StartedCommit())


def ready(*messages: msgspec.Struct) -> MaterializeSession:
    session = MaterializeSession(Role.CONNECTOR)
    for message in (Open(materialization=TWO_MATERIALIZED), Opened(), *messages):
        session.step(message)
    return session


def refused(session: MaterializeSession, message: msgspec.Struct, rule: int) -> str:
    with pytest.raises(ProtocolError) as caught:
        session.step(message)
    assert caught.value.rule == rule
    return str(caught.value)


def test_acknowledged_may_come_before_acknowledge() -> None:
    assert ready(Acknowledged(), Acknowledge()).states == (State.LOADING, Acknowledgement.DONE)


def test_loads_arrive_while_the_last_transaction_is_being_acknowledged_but_nothing_is_loaded() -> None:
    session = ready(Acknowledge(), Load(), Load())

    refused(session, LOADED, 72)
    session.step(Acknowledged())
    session.step(LOADED)


def test_the_runtime_does_not_flush_before_acknowledged() -> None:
    refused(ready(Acknowledge()), Flush(), 0)


def test_a_transaction_is_acknowledged_once() -> None:
    refused(ready(Acknowledge(), Acknowledged()), Acknowledged(), 72)


def test_no_more_documents_are_loaded_than_keys_were_asked_for() -> None:
    session = ready(Acknowledge(), Acknowledged(), Load(), LOADED)

    assert "than the 1 keys asked for" in refused(session, LOADED, 73)


def test_the_next_transaction_counts_its_own_loads() -> None:
    session = ready(Acknowledge(), Acknowledged(), Load(), *TRANSACTION, Acknowledge(), Acknowledged())

    refused(session, LOADED, 73)


def test_after_the_commit_the_next_acknowledgement_is_due() -> None:
    session = ready(Acknowledge(), Acknowledged(), *TRANSACTION)

    assert session.states == (State.READY, Acknowledgement.PENDING)
    session.end()


@pytest.mark.parametrize("message", [Load(binding=2), Load(binding=-1), Loaded(binding=2, doc=EMPTY)])
def test_a_binding_out_of_range_is_refused(message: msgspec.Struct) -> None:
    refused(ready(Acknowledge(), Acknowledged(), Load()), message, 11)


def test_a_stored_binding_out_of_range_is_refused() -> None:
    refused(ready(Acknowledge(), Acknowledged(), Flush(), Flushed()), Store(binding=2), 11)


def test_as_many_bindings_are_validated_as_were_asked() -> None:
    session = MaterializeSession(Role.CONNECTOR)
    session.step(Validate(bindings=(ValidateBinding(),)))

    assert "has 0 bindings, but 1 were asked" in refused(session, Validated(), 39)


def test_the_end_is_legal_before_the_first_load_of_a_transaction_and_not_after() -> None:
    ready(Acknowledge(), Acknowledged()).end()

    with pytest.raises(LocalProtocolError, match=r"ended after 1 loads, in the middle of a transaction \(rule 79\)"):
        ready(Acknowledge(), Acknowledged(), Load()).end()


def test_a_transaction_is_one_from_its_first_load_or_its_flush_to_its_commit() -> None:
    before = (Acknowledge(), Acknowledged())

    assert not ready(*before).in_transaction
    assert ready(*before, Load()).in_transaction
    assert ready(*before, Flush()).in_transaction
    assert ready(*before, *TRANSACTION[:-1]).in_transaction
    assert not ready(*before, Load(), *TRANSACTION).in_transaction


@pytest.mark.parametrize(
    "run",
    [
        [Load(), Load(binding=1)],
        [LOADED, Loaded(binding=1, doc=EMPTY)],
        [Load(), Load(binding=2)],
        [Load(binding=-1)],
        [LOADED, LOADED, LOADED],
        [Flush()],
    ],
)
def test_a_run_of_messages_does_what_they_do_one_by_one(run: list[msgspec.Struct]) -> None:
    at_once, one_by_one = (ready(Acknowledge(), Acknowledged(), Load(), Load()) for _ in range(2))

    assert said(at_once, [run]) == said(one_by_one, [[message] for message in run])


def said(session: MaterializeSession, runs: list[list[msgspec.Struct]]) -> str:
    try:
        for run in runs:
            session.step_run(run)
    except ProtocolError as error:
        return str(error)
    return f"{session.states} {session.in_transaction}"


def test_what_a_run_has_counted_bounds_what_comes_after_it() -> None:
    session = ready(Acknowledge(), Acknowledged())
    session.step_run([Load(), Load()])
    session.step_run([LOADED, LOADED])

    assert "than the 2 keys asked for" in refused(session, LOADED, 73)


def test_only_what_comes_by_the_thousand_is_counted_at_once() -> None:
    assert ready(Acknowledge(), Acknowledged()).note_run([Flush()]) is False
