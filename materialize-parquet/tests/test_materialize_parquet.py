from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.end_to_end.materializations import snapshots_of
from tests.snapshots import Snapshots

pytestmark = pytest.mark.slow


@pytest.fixture
def kept(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Snapshots)


def test_spec_constraints_and_tables_are_as_they_were(kept: SnapshotAssertion, tmp_path: Path) -> None:
    config: dict[str, Any] = {"url": str(tmp_path / "tables")}

    for name, found in snapshots_of("materialize-parquet", config).items():
        assert found == kept(name=name)
