from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.singer import kept_of
from tests.singer_sources import classic_source
from tests.snapshots import Snapshots

pytestmark = pytest.mark.slow


@pytest.fixture
def kept(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Snapshots)


def test_spec_discover_and_capture_are_as_they_were(kept: SnapshotAssertion, tmp_path: Path) -> None:
    with classic_source(tmp_path) as connector:
        found = kept_of(connector)

    assert found["spec"] == kept(name="spec")
    assert found["discover"] == kept(name="discover")
    assert found["capture"] == kept(name="capture")
