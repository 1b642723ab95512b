from __future__ import annotations

from pathlib import Path

import pytest

from tests.materialize_sql import targets


@pytest.fixture(params=["sqlite"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> targets.Target:
    """Each of the databases in turn, empty."""
    found: targets.Target = getattr(targets, request.param)(tmp_path)
    return found
