from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.singer import kept_of
from tests.singer_sources import orders_by_time, postgres_source
from tests.snapshots import Snapshots

pytestmark = pytest.mark.slow


@pytest.fixture
def kept(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Snapshots)


def test_spec_discover_and_capture_are_as_they_were(kept: SnapshotAssertion) -> None:
    with postgres_source() as connector:
        found = kept_of(connector, orders_by_time)

    assert found["spec"] == kept(name="spec")
    assert found["discover"] == kept(name="discover")
    assert found["capture"] == kept(name="capture")
