from __future__ import annotations

import msgspec
import pytest

from python.protocol.capture import (
    Acknowledge,
    BackfillBegin,
    BackfillComplete,
    Captured,
    Checkpoint,
    Open,
    Opened,
    SourcedSchema,
    Validate,
    ValidateBinding,
    Validated,
    ValidatedBinding,
)
from python.protocol.capture_session import CaptureSession
from python.protocol.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from python.protocol.flow import RangeSpec
from python.protocol.session import Role
from tests.protocol.walking import EMPTY, SECOND_SHARD, TWO_CAPTURED

DOCUMENT = Captured(doc=EMPTY)


def streaming(*messages: msgspec.Struct, explicit: bool = True, range_: RangeSpec | None = None) -> CaptureSession:
    session = CaptureSession(Role.CONNECTOR)
    for message in (Open(capture=TWO_CAPTURED, range=range_), Opened(explicit_acknowledgements=explicit), *messages):
        session.step(message)
    return session


def refused(session: CaptureSession, message: msgspec.Struct, rule: int) -> str:
    with pytest.raises(ProtocolError) as caught:
        session.step(message)
    assert caught.value.rule == rule
    return str(caught.value)


def test_acknowledging_more_than_was_checkpointed_is_refused() -> None:
    session = streaming(Checkpoint(), Checkpoint())

    with pytest.raises(RemoteProtocolError, match="Acknowledge counts 3 checkpoints, but 2 are pending"):
        session.step(Acknowledge(checkpoints=3))


def test_acknowledging_nothing_is_refused() -> None:
    refused(streaming(Checkpoint()), Acknowledge(), 62)


def test_one_acknowledgement_may_cover_several_checkpoints() -> None:
    session = streaming(Checkpoint(), Checkpoint(), Checkpoint(), Acknowledge(checkpoints=2))

    assert session.pending_checkpoints == 1


def test_an_acknowledgement_that_was_not_asked_for_is_refused() -> None:
    session = streaming(Checkpoint(), explicit=False)

    assert session.pending_checkpoints == 0
    refused(session, Acknowledge(checkpoints=1), 61)


@pytest.mark.parametrize("binding", [-1, 2])
@pytest.mark.parametrize("kind", ["captured", "sourced schema", "marker"])
def test_a_binding_out_of_range_is_refused(kind: str, binding: int) -> None:
    message = {
        "captured": Captured(binding=binding, doc=EMPTY),
        "sourced schema": SourcedSchema(binding=binding, document_schema=EMPTY),
        "marker": BackfillBegin(binding=binding),
    }[kind]

    assert "2 bindings are open" in refused(streaming(), message, 11)


@pytest.mark.parametrize("message", [DOCUMENT, SourcedSchema(document_schema=EMPTY)])
def test_what_has_no_checkpoint_forbids_the_end(message: msgspec.Struct) -> None:
    session = streaming(message)
    assert session.in_sequence
    with pytest.raises(LocalProtocolError, match=r"without a checkpoint \(rule 53\)"):
        session.end()

    session.step(Checkpoint())

    assert not session.in_sequence
    session.end()


def test_as_many_bindings_are_validated_as_were_asked() -> None:
    session = CaptureSession(Role.CONNECTOR)
    session.step(Validate(bindings=(ValidateBinding(), ValidateBinding())))

    sentence = refused(session, Validated(bindings=(ValidatedBinding(),)), 39)

    assert "Validated has 1 bindings, but 2 were asked" in sentence
    session.step(Validated(bindings=(ValidatedBinding(), ValidatedBinding())))


def test_a_backfill_completes_only_after_it_began() -> None:
    refused(streaming(BackfillBegin(binding=0)), BackfillComplete(binding=1), 66)
    streaming(BackfillBegin(binding=1)).step(BackfillComplete(binding=1))


def test_only_the_first_shard_marks_backfills() -> None:
    refused(streaming(range_=SECOND_SHARD), BackfillBegin(), 66)


def test_a_run_of_documents_is_taken_one_by_one() -> None:
    session = streaming()
    session.step_run([DOCUMENT, Captured(binding=1, doc=EMPTY)])

    assert "a checkpoint" in str(session.unfinished())
    with pytest.raises(ProtocolError) as caught:
        session.step_run([DOCUMENT, Captured(binding=2, doc=EMPTY)])
    assert caught.value.rule == 11
