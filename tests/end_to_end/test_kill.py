"""Nothing lost and nothing doubled: connector and runner are killed at random points, and resumed to the end."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.killing import AMID_COMMITS, Undisturbed, collections_of, killed_run, undisturbed_run, write_spec

KILLS = 2  # of each; `make bench` kills 200 times
DOCUMENTS = 30_000


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_spec(tmp_path_factory.mktemp("chaos"), DOCUMENTS)


@pytest.fixture(scope="module")
def expected(spec: Path) -> Undisturbed:
    return undisturbed_run(spec, spec.parent / "undisturbed.duckdb")


@pytest.mark.slow
@pytest.mark.parametrize("victim", [pytest.param("connector", marks=pytest.mark.long), "runner"])
def test_a_run_killed_between_its_commits_ends_as_if_undisturbed(
    tmp_path: Path, spec: Path, expected: Undisturbed, victim: str
) -> None:
    fell = killed_run(spec, tmp_path / "killed.duckdb", victim, (KILLS, expected.transactions), random.Random(victim))

    assert fell[AMID_COMMITS] == KILLS
    assert collections_of(tmp_path / "killed.duckdb") == expected.collections
