from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from python.protocol.materialize import StartCommit, StartedCommit
from tests.end_to_end.materializations import Process, applied, fences_off_the_spec_before, survives_kills, things
from tests.postgres import PASSWORD, Postgres, postgres

pytestmark = pytest.mark.slow

NAME = "materialize-postgres"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as started:
        yield started


@pytest.fixture
def config(server: Postgres, tmp_path: Path) -> dict[str, Any]:
    return {"address": f"127.0.0.1:{server.port}", "password": PASSWORD, "schema": tmp_path.name}


def test_a_table_is_exact_whenever_the_connector_is_killed(config: dict[str, Any]) -> None:
    survives_kills(NAME, config, kills=12)


def test_a_process_that_was_stopped_and_goes_on_after_its_successor_changes_nothing(config: dict[str, Any]) -> None:
    wanted = things(config)
    applied(NAME, wanted)
    zombie = Process(NAME, wanted)
    zombie.transaction({"id": 1, "name": "old"}, checkpoint="1")
    zombie.load([1])
    zombie.store({"id": 1, "name": "zombie"}, {"id": 2, "name": "zombie"})
    zombie.child.send_signal(signal.SIGSTOP)
    zombie.tell(StartCommit())
    successor = Process(NAME, wanted)
    assert successor.checkpoint == "1"
    successor.transaction({"id": 1, "name": "new"}, checkpoint="2")
    assert successor.load([1], [2]) == [{"id": 1, "name": "new"}]
    zombie.child.send_signal(signal.SIGCONT)

    assert isinstance(zombie.hear(), StartedCommit)
    status, logs = zombie.end()
    assert (status != 0, "another session of acmeCo/target has taken over" in logs[-1]["message"]) == (True, True)
    assert "its transaction was not stored" in logs[-1]["message"]
    assert isinstance(successor.commit("3"), StartedCommit)
    assert successor.load([1], [2]) == [{"id": 1, "name": "new"}]
    successor.kill()


def test_a_process_of_the_spec_before_stores_nothing_to_a_table_that_was_emptied(config: dict[str, Any]) -> None:
    fences_off_the_spec_before(NAME, config)


def test_a_server_that_goes_away_is_one_sentence(server: Postgres, config: dict[str, Any]) -> None:
    wanted = things(config)
    applied(NAME, wanted)
    process = Process(NAME, wanted)
    process.transaction({"id": 1}, checkpoint="1")
    process.load([1])
    ours = "where application_name = 'materialize-postgres'"
    server.execute(f"select pg_terminate_backend(pid) from pg_stat_activity {ours}")  # noqa: S608 -- a literal
    process.store({"id": 2})

    assert process.commit("2") is None
    status, logs = process.end()
    assert status != 0
    assert "cannot take in documents for table" in logs[-1]["message"]
    assert PASSWORD not in str(logs)
