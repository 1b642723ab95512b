from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from python.registry.store import Store, open_store
from tests.registry.stores import BUCKET


class Place(NamedTuple):
    """A bucket by its address, and the environment that leads there, for other processes too.

    An emulator takes milliseconds for what a folder does in microseconds: so, beside one, readers look and crashes come
    less often. `look_seconds` is the time between two looks, `stride` how many writes lie between two crashes.
    """

    address: str
    environment: Mapping[str, str]
    look_seconds: float = 0.02
    stride: int = 1

    @property
    def is_folder(self) -> bool:
        return "://" not in self.address

    def open(self, below: str = "") -> Store:
        return open_store(f"{self.address}{below}", self.environment)


@pytest.fixture(params=["folder", "gs", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty bucket of each kind that other processes can open, too."""
    if request.param == "gs":
        return Place(f"gs://{BUCKET}/{tmp_path.name}", request.getfixturevalue("google"), 0.5, 7)
    if request.param == "s3":
        request.getfixturevalue("s3")
        known = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        return Place(f"s3://{BUCKET}/{tmp_path.name}", known, 0.5, 7)
    return Place(str(tmp_path / "bucket"), {})
