from __future__ import annotations

from pathlib import Path

import pytest

from tests.importing.repositories import Git, ours_and_theirs


@pytest.fixture
def repositories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Git, Git]:
    return ours_and_theirs(tmp_path, monkeypatch)


@pytest.fixture
def ours(repositories: tuple[Git, Git]) -> Git:
    return repositories[0]


@pytest.fixture
def theirs(repositories: tuple[Git, Git]) -> Git:
    return repositories[1]
