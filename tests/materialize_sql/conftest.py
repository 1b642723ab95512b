from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.materialize_sql import targets
from tests.postgres import Postgres, postgres


@pytest.fixture(scope="session")
def server() -> Iterator[Callable[[], Postgres]]:
    """A PostgreSQL server for all tests, started by the first one that asks."""
    with contextlib.ExitStack() as stack:
        started: list[Postgres] = []

        def get() -> Postgres:
            if not started:
                started.append(stack.enter_context(postgres()))
            return started[0]

        yield get


@pytest.fixture(params=["sqlite", *(pytest.param(name, marks=pytest.mark.slow) for name in ("duckdb", "postgres"))])
def target(request: pytest.FixtureRequest, tmp_path: Path, server: Callable[[], Postgres]) -> targets.Target:
    """Each of the databases in turn, empty."""
    if request.param == "postgres":
        return targets.postgres(server(), tmp_path.name)
    found: targets.Target = getattr(targets, request.param)(tmp_path)
    return found
