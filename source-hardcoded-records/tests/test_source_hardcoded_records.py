from __future__ import annotations

import pytest

from python.acceptance.snapshot_check import Snapshots

pytest_plugins = ("python.acceptance.snapshot_fixture",)
pytestmark = pytest.mark.slow


def test_what_it_says_and_captures_is_as_it_was(connector_snapshots: Snapshots) -> None:
    connector_snapshots.check()
