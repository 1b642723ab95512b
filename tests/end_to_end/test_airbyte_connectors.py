"""Our Airbyte connectors give what the upstream's own command gives, wherever they are interrupted."""

from __future__ import annotations

import pytest

from tests.airbyte import CSV, HARDCODED, JSON_LINES, Connector, reduced
from tests.singer import Answer, check_resuming

pytestmark = pytest.mark.slow


class Session:
    """A connector, the bindings of a task, and one capture of all of it."""

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        discovered = connector.discover()
        assert discovered.status == 0, discovered.stderr
        self.bindings = connector.bindings(discovered.responses[1])
        self.first: Answer = connector.open(self.bindings)
        assert self.first.status == 0, self.first.stderr


@pytest.fixture(scope="module", params=[HARDCODED, CSV, JSON_LINES], ids=["hardcoded records", "CSV", "JSON Lines"])
def session(request: pytest.FixtureRequest) -> Session:
    connector: Connector = request.param
    return Session(connector._replace(cut=2))


def test_the_documents_are_the_records_of_the_upstreams_own_command(session: Session) -> None:
    streams = [binding["resourceConfig"]["stream"] for binding in session.bindings]

    theirs = session.connector.records(session.bindings)

    for number, stream in enumerate(streams):  # numbers are Decimals: equal where every digit is
        ours = [session.connector.document(doc) for index, doc in session.first.captured() if index == number]
        assert ours == [record for name, record in theirs if name == stream]
        assert len(ours) >= 4


def test_resuming_at_every_checkpoint_ends_in_the_same_collections(session: Session) -> None:
    check_resuming(session.connector, session.bindings, session.first, reduced)
