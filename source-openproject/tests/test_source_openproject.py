from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from python.acceptance.snapshot_check import Snapshots
from tests.serving import serving
from tests.singer import Connector, Json, canonical, reduced

FOLDER = Path(__file__).parent.parent

pytest_plugins = ("python.acceptance.snapshot_fixture",)
pytestmark = pytest.mark.slow

server: Any = importlib.import_module("source-openproject.tests.server")


@pytest.fixture(scope="module")
def config() -> Iterator[dict[str, Any]]:
    for url in serving(server.Api):
        yield {"api_key": server.KEY, "base_url": f"{url}/api/v3"}


class Session:
    """A task that captures all that was discovered, with a checkpoint of each STATE, and its first session."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.connector = Connector("source-openproject", "tap-openproject", config).cutting(10)
        self.bindings = self.connector.bindings(self.connector.discover().responses[1])
        self.first = self.connector.open(self.bindings)
        assert self.first.status == 0, self.first.stderr


@pytest.fixture(scope="module")
def session(config: dict[str, Any]) -> Session:
    return Session(config)


def test_what_it_says_and_captures_is_as_it_was(config: dict[str, Any], connector_snapshots: Snapshots) -> None:
    connector_snapshots.check(config=config)


def test_the_documents_are_the_records_of_the_upstreams_own_command(session: Session) -> None:
    streams = [binding["resourceConfig"]["tap_stream_id"] for binding in session.bindings]

    def choose(entry: Json) -> None:
        entry["selected"] = True

    theirs = sorted((stream, canonical(record)) for stream, record in session.connector.records(choose))
    ours = sorted((streams[index], canonical(doc)) for index, doc in session.first.captured())

    assert ours == theirs
    assert len(ours) == 25 + 1 + 2 + 1


def test_resuming_amid_the_work_packages_and_at_the_end_gives_the_same_collections(session: Session) -> None:
    """At every checkpoint it would, too, and take minutes: the tap writes its state with each attachment's parent."""
    checkpoints = session.first.checkpoints()
    held = reduced(session.bindings, session.first.captured())

    assert len(checkpoints) > 10
    for until, state in (checkpoints[len(checkpoints) // 2], checkpoints[-1]):
        again = session.connector.open(session.bindings, state)
        assert again.status == 0, again.stderr
        assert reduced(session.bindings, session.first.captured(until) + again.captured()) == held
