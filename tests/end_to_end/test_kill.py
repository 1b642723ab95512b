"""Nothing lost and nothing doubled: connector and runner are killed at random points, and resumed to the end."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.killing import collections_of, killed_run, undisturbed_run, write_spec

KILLS = 8  # `make bench` kills 200 times


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["connector", "runner"])
def test_a_run_killed_again_and_again_ends_as_if_undisturbed(tmp_path: Path, victim: str) -> None:
    spec = write_spec(tmp_path, documents=60_000)
    expected = undisturbed_run(spec, tmp_path / "undisturbed.duckdb")
    chance = random.Random(victim)

    kills = killed_run(spec, tmp_path / "killed.duckdb", victim, KILLS, chance)

    assert kills == KILLS
    assert collections_of(tmp_path / "killed.duckdb") == collections_of(tmp_path / "undisturbed.duckdb") == expected
