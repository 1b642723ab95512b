from __future__ import annotations

import msgspec
import pytest

from python.protocol.derive import (
    Flush,
    Flushed,
    Open,
    Opened,
    Published,
    Read,
    StartCommit,
    StartedCommit,
    Validate,
    Validated,
    ValidateTransform,
)
from python.protocol.derive_session import DeriveSession, State
from python.protocol.errors import ProtocolError
from python.protocol.flow import CollectionSpec
from python.protocol.session import Role
from tests.protocol.walking import EMPTY, TWO_DERIVED

PUBLISHED = Published(doc=EMPTY)


def reading(*messages: msgspec.Struct, collection: CollectionSpec = TWO_DERIVED) -> DeriveSession:
    session = DeriveSession(Role.RUNTIME)
    for message in (Open(collection=collection), Opened(), *messages):
        session.step(message)
    return session


def refused(session: DeriveSession, message: msgspec.Struct, rule: int) -> str:
    with pytest.raises(ProtocolError) as caught:
        session.step(message)
    assert caught.value.rule == rule
    return str(caught.value)


def test_documents_may_be_published_at_any_time_until_the_flush_is_answered() -> None:
    session = reading(PUBLISHED, Read(transform=1), PUBLISHED, Flush(), PUBLISHED, Flushed())

    refused(session, PUBLISHED, 70)


def test_a_flush_is_answered_once_and_only_when_asked() -> None:
    refused(reading(), Flushed(), 69)
    refused(reading(Flush(), Flushed()), Flushed(), 69)


def test_a_transaction_leads_back_to_reading() -> None:
    session = reading(Read(), Flush(), Flushed(), StartCommit(), StartedCommit())

    assert session.states == (State.READING,)
    session.end()


@pytest.mark.parametrize("transform", [-1, 2])
def test_a_transform_out_of_range_is_refused(transform: int) -> None:
    assert "2 transforms are open" in refused(reading(), Read(transform=transform), 11)


def test_a_collection_without_derivation_has_no_transforms() -> None:
    assert "0 transforms are open" in refused(reading(collection=CollectionSpec()), Read(), 11)


def test_as_many_transforms_are_validated_as_were_asked() -> None:
    session = DeriveSession(Role.RUNTIME)
    session.step(Validate(transforms=(ValidateTransform(),)))

    assert "has 0 transforms, but 1 were asked" in refused(session, Validated(), 44)


def test_ending_in_the_middle_of_a_commit_is_refused() -> None:
    with pytest.raises(ProtocolError, match="ended while starting the commit"):
        reading(Flush(), Flushed(), StartCommit()).end()


def test_a_transaction_is_one_from_its_first_document_to_its_commit() -> None:
    commit = (Flush(), Flushed(), StartCommit(), StartedCommit())

    assert not reading().in_transaction
    assert reading(Read()).in_transaction
    assert not reading(Read(), *commit).in_transaction
