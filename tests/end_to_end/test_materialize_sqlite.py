from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.materializations import survives_kills

pytestmark = pytest.mark.slow


def test_a_table_is_exact_whenever_the_connector_is_killed(tmp_path: Path) -> None:
    survives_kills("materialize-sqlite", {"path": str(tmp_path / "target")}, kills=12)
