from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.airbyte import CSV, JSON_LINES, Connector, kept_of
from tests.snapshots import Snapshots

pytestmark = pytest.mark.slow


@pytest.fixture
def kept(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Snapshots)


@pytest.mark.parametrize(("connector", "name"), [(CSV, "csv"), (JSON_LINES, "json_lines")], ids=["CSV", "JSON Lines"])
def test_spec_discover_and_capture_are_as_they_were(connector: Connector, name: str, kept: SnapshotAssertion) -> None:
    found = kept_of(connector)

    assert found["spec"] == kept(name="spec")
    assert found["discover"] == kept(name=f"{name}_discover")
    assert found["capture"] == kept(name=f"{name}_capture")
