from __future__ import annotations

import pytest

from python.acceptance.snapshot_check import Snapshots
from tests.singer_sources import rest_source

pytest_plugins = ("python.acceptance.snapshot_fixture",)
pytestmark = pytest.mark.slow


def test_what_it_says_and_captures_is_as_it_was(connector_snapshots: Snapshots) -> None:
    with rest_source() as connector:
        connector_snapshots.check(config=connector.config)
