from __future__ import annotations

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.end_to_end.materializations import snapshots_of
from tests.postgres import PASSWORD, postgres
from tests.snapshots import Snapshots

pytestmark = pytest.mark.slow


@pytest.fixture
def kept(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Snapshots)


def test_spec_constraints_and_tables_are_as_they_were(kept: SnapshotAssertion) -> None:
    with postgres() as server:
        config: dict[str, Any] = {"address": f"127.0.0.1:{server.port}", "password": PASSWORD, "schema": "bigdata"}

        for name, found in snapshots_of("materialize-postgres", config).items():
            assert found == kept(name=name)
