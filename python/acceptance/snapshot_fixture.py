"""Snapshots of a connector as a pytest fixture; a connector's test module names this one in `pytest_plugins`."""

from __future__ import annotations

import pytest

from python.acceptance.snapshot_check import Snapshots

__all__ = ["connector_snapshots"]


@pytest.fixture
def connector_snapshots(request: pytest.FixtureRequest) -> Snapshots:
    """Return the snapshots of the connector whose folder the test is in: the nearest one with a pyproject.toml.

    They are written anew with --snapshot-update, which is syrupy's option, too.
    """
    above = (folder for folder in request.path.parents if (folder / "pyproject.toml").is_file())
    folder = next(above, request.path.parent)
    return Snapshots(folder, update=bool(request.config.getoption("update_snapshots", default=False)))
