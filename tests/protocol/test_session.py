from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.protocol.capture import Captured, Discover, Spec, SpecResponse
from python.protocol.capture_session import CAPTURE, CaptureSession
from python.protocol.derive_session import DeriveSession
from python.protocol.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from python.protocol.materialize_session import MaterializeSession
from python.protocol.session import Role, Session
from python.protocol.wire import FromRuntime
from tests.protocol.walking import EMPTY, FOREIGN, POOLS, edges, walk

CONVERSATIONS = [CaptureSession, DeriveSession, MaterializeSession]
MACHINES = [(each, machine) for each in CONVERSATIONS for machine in each.machines]

choices = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 10**6)), max_size=60)


@pytest.mark.parametrize("conversation", CONVERSATIONS)
@given(choices=choices)
def test_two_ends_always_agree_and_a_refused_message_changes_nothing(
    conversation: type[Session], choices: list[tuple[int, int]]
) -> None:
    runtime, connector = conversation(Role.RUNTIME), conversation(Role.CONNECTOR)
    for illegal, index in choices:
        pool = [*POOLS[conversation], FOREIGN[conversation]]
        if illegal:  # one in ten is anything at all, the rest is in its place, but perhaps out of range
            legal = runtime.legal()
            pool = [message for message in pool if type(message) in legal]
        message = pool[index % len(pool)]
        before = (dict(vars(runtime)), dict(vars(connector)))

        refusals = {each: _refusal(each, message) for each in (runtime, connector)}

        assert runtime.states == connector.states
        assert runtime.legal() == connector.legal()
        assert str(refusals[runtime]) == str(refusals[connector])
        if refusals[runtime] is None:
            continue
        assert (vars(runtime), vars(connector)) == before
        ours, theirs = (runtime, connector) if isinstance(message, FromRuntime) else (connector, runtime)
        assert type(refusals[ours]) is LocalProtocolError
        assert type(refusals[theirs]) is RemoteProtocolError


@pytest.mark.parametrize("conversation", CONVERSATIONS)
@given(choices=choices)
def test_a_run_is_the_same_as_its_messages_one_by_one(
    conversation: type[Session], choices: list[tuple[int, int]]
) -> None:
    at_once, singly = conversation(Role.CONNECTOR), conversation(Role.CONNECTOR)
    for count, index in choices:
        legal = singly.legal()
        pool = [message for message in POOLS[conversation] if type(message) in legal]
        message = pool[index % len(pool)]
        others = [other for other in pool if type(other) is type(message)]
        run = [message, *[others[(index + number) % len(others)] for number in range(count // 3)]]

        refusals = [_refusal(singly, each) for each in run]

        expected = next((refusal for refusal in refusals if refusal is not None), None)
        assert str(_run_refusal(at_once, run)) == str(expected)
        if expected is not None:  # what follows a refusal is nobody's business
            return
        assert _kept(at_once) == _kept(singly)


def _kept(session: Session) -> dict[str, object]:
    return {name: value for name, value in vars(session).items() if name not in ("_known", "_here")}


def _run_refusal(session: Session, run: list[msgspec.Struct]) -> ProtocolError | None:
    try:
        session.step_run(run)
    except ProtocolError as error:
        return error
    return None


def _refusal(session: Session, message: object) -> ProtocolError | None:
    try:
        session.step(message)  # type: ignore[arg-type] # drawn from pools of messages
    except ProtocolError as error:
        return error
    return None


@pytest.mark.parametrize(("conversation", "machine"), MACHINES)
def test_every_edge_of_every_table_can_be_walked(conversation: type[Session], machine: object) -> None:
    walked = {edge for seed in range(5) for each, edge in walk(conversation, 1000, seed) if each is machine}

    assert walked == edges(machine)  # type: ignore[arg-type] # the machines of a conversation


@pytest.mark.parametrize(("conversation", "machine"), MACHINES)
def test_a_table_names_a_rule_only_for_messages_it_knows(conversation: type[Session], machine: object) -> None:
    del conversation
    assert set(machine.rules) <= machine.alphabet()  # type: ignore[attr-defined] # as above


def test_an_illegal_message_says_what_came_what_was_legal_and_who_must_act() -> None:
    connector = CaptureSession(Role.CONNECTOR)
    connector.step(Spec())

    with pytest.raises(RemoteProtocolError) as caught:
        connector.step(Discover())

    assert str(caught.value) == (
        "the runtime broke the protocol: Discover came while answering spec; legal now: SpecResponse (rule 15)"
    )
    assert caught.value.rule == 15


def test_a_message_of_our_own_out_of_place_is_ours_to_mend() -> None:
    connector = CaptureSession(Role.CONNECTOR)

    with pytest.raises(LocalProtocolError, match="the connector broke the protocol: Captured came while waiting"):
        connector.step(Captured(doc=EMPTY))


def test_a_message_that_no_table_knows_is_illegal() -> None:
    with pytest.raises(ProtocolError, match=r"Flush came while waiting for a request; legal now: Apply, .*Validate$"):
        CaptureSession(Role.CONNECTOR).step(FOREIGN[CaptureSession])


def test_several_requests_are_answered_in_order_in_one_session() -> None:
    connector = CaptureSession(Role.CONNECTOR)
    answer = SpecResponse.of(config_schema=EMPTY, resource_config_schema=EMPTY)
    for message in (Spec(), answer, Spec(), answer):
        connector.step(message)

    connector.end()


@pytest.mark.parametrize(("ours", "error"), [(Role.CONNECTOR, LocalProtocolError), (Role.RUNTIME, RemoteProtocolError)])
def test_ending_in_the_middle_of_an_answer_is_the_connectors_fault(ours: Role, error: type[ProtocolError]) -> None:
    session = CaptureSession(ours)
    session.step(Spec())

    with pytest.raises(error, match=r"the connector ended while answering spec \(rule 28\)"):
        session.end()


def test_a_conversation_with_nothing_beyond_its_tables_needs_no_code() -> None:
    class Bare(Session):
        machines = (CAPTURE,)

    session = Bare(Role.CONNECTOR)
    session.step(Spec())
    session.step(SpecResponse.of(config_schema=EMPTY, resource_config_schema=EMPTY))

    session.end()
