"""Exactly once from a source through a derivation into PostgreSQL, whoever is killed or stopped on the way."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import WAREHOUSE, Chaos, differences
from tests.chaos_kills import AMID_COMMITS, RUNNER, VICTIMS, Killer, Session
from tests.conversing import ROOT
from tests.postgres import Postgres, postgres

pytestmark = pytest.mark.slow

DOCUMENTS = 45_000
SECONDS_MAX = 60


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as started:
        yield started


@pytest.fixture(scope="module")
def expected(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    undisturbed = Chaos(tmp_path_factory.mktemp("chaos"), server, "undisturbed").write(DOCUMENTS)
    done = undisturbed.run()
    assert done.returncode == 0, done.stderr
    return undisturbed.contents()


def test_tables_and_store_end_as_if_undisturbed_whoever_is_killed(
    tmp_path: Path, server: Postgres, expected: dict[str, list[str]]
) -> None:
    killed = Chaos(tmp_path, server, "killed").write(DOCUMENTS)
    killer = Killer(
        killed, random.Random("chaos"), seconds_max=0.3
    )  # of each once; benchmarks/bench_chaos.py kills 200 times
    for victim in VICTIMS:
        killer.kill(victim)
    last = killed.run()

    assert last.returncode == 0, last.stderr
    assert sum(fell[AMID_COMMITS] for fell in killer.fell.values()) >= len(VICTIMS) // 2, killer.fell
    assert differences(expected, killed.contents()) == []


@pytest.mark.parametrize("goes_on", ["amid the next session", pytest.param("after it", marks=pytest.mark.long)])
def test_a_materialization_that_was_stopped_and_goes_on_beside_the_next_session_is_fenced_off(
    tmp_path: Path, server: Postgres, expected: dict[str, list[str]], goes_on: str
) -> None:
    command = [sys.executable, str(ROOT / "tests" / "connectors" / "held.py"), str(tmp_path), "materialize-postgres"]
    chaos = Chaos(tmp_path, server, f"zombie {goes_on}").write(DOCUMENTS, command)
    first = Session(chaos)
    zombie = int(until_written(tmp_path / "held"))
    first.send(RUNNER, signal.SIGKILL)
    first.process.wait()
    next_ = Session(chaos)
    if goes_on == "amid the next session":
        assert next_.until_committed(WAREHOUSE)
        os.kill(zombie, signal.SIGCONT)
    said = next_.end()
    if goes_on == "after it":
        assert differences(expected, chaos.contents()) == []
        os.kill(zombie, signal.SIGCONT)
    status = until_written(tmp_path / "held.status")
    first.end()

    assert next_.process.returncode == 0, said
    assert status != "0"
    assert f"another session of {WAREHOUSE} has taken over the key range" in (tmp_path / "held.log").read_text()
    assert differences(expected, chaos.contents()) == []


def until_written(path: Path) -> str:
    deadline = time.monotonic() + SECONDS_MAX
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)
    return path.read_text()
