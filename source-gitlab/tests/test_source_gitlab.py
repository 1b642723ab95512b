from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from python.acceptance.snapshot_check import Snapshots
from tests.airbyte import Connector
from tests.serving import serving

FOLDER = Path(__file__).parent.parent

pytest_plugins = ("python.acceptance.snapshot_fixture",)
pytestmark = pytest.mark.slow

server: Any = importlib.import_module("source-gitlab.tests.server")


@pytest.fixture(scope="module")
def config() -> Iterator[dict[str, Any]]:
    for url in serving(server.Api):
        credentials = {"auth_type": "access_token", "access_token": server.TOKEN}
        yield {"credentials": credentials, "api_url": url, "start_date": "2024-06-01T00:00:00Z"}


def test_what_it_says_and_captures_is_as_it_was(config: dict[str, Any], connector_snapshots: Snapshots) -> None:
    connector_snapshots.check(config=config)


class Session:
    """A task that captures all that was discovered, and its first session."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.connector = Connector("source-gitlab", "source-gitlab", config, prints_nulls=True)
        self.bindings = self.connector.bindings(self.connector.discover().responses[1])
        self.first = self.connector.open(self.bindings)
        assert self.first.status == 0, self.first.stderr


@pytest.fixture(scope="module")
def session(config: dict[str, Any]) -> Session:
    return Session(config)


def test_the_documents_are_the_records_of_the_upstreams_own_command(session: Session) -> None:
    theirs = session.connector.records(session.bindings)

    for number, binding in enumerate(session.bindings):
        stream = binding["resourceConfig"]["stream"]
        documents = [session.connector.document(doc) for index, doc in session.first.captured() if index == number]
        assert documents == [record for name, record in theirs if name == stream]
    assert len(session.first.captured()) == 56 + 2 + 2 * 5 + 1 + 2 + 2 * 5 + 2


def test_a_later_session_captures_what_is_new_alone(session: Session) -> None:
    (issues,) = [each for each in session.bindings if each["resourceConfig"]["stream"] == "issues"]
    (_, state) = session.first.checkpoints()[-1]

    again = session.connector.open([issues], state)

    assert again.status == 0, again.stderr
    assert {doc["iid"] for _, doc in again.captured()} <= {5}  # the cursor's own second is read again
