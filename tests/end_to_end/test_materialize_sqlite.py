from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.materializations import fences_off_the_spec_before, survives_kills

pytestmark = pytest.mark.slow


def test_a_table_is_exact_whenever_the_connector_is_killed(tmp_path: Path) -> None:
    survives_kills("materialize-sqlite", {"path": str(tmp_path / "target")}, kills=12)


def test_a_process_of_the_spec_before_stores_nothing_to_a_table_that_was_emptied(tmp_path: Path) -> None:
    fences_off_the_spec_before("materialize-sqlite", {"path": str(tmp_path / "target")})
