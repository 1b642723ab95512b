from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from python.registry.store import Store, open_store
from tests.registry.stores import BUCKET, google_emulator, s3_emulator


@pytest.fixture(scope="session")
def google() -> Iterator[Mapping[str, str]]:
    """The environment that leads to a bucket of Google's."""
    with google_emulator() as environment:
        yield environment


@pytest.fixture(scope="session")
def s3() -> Iterator[None]:
    """A bucket of S3's that boto3 finds."""
    with s3_emulator():
        yield


@pytest.fixture(params=["folder", "memory", *(pytest.param(each, marks=pytest.mark.slow) for each in ("gs", "s3"))])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    if request.param == "gs":
        return open_store(f"gs://{BUCKET}/{tmp_path.name}", request.getfixturevalue("google"))
    if request.param == "s3":
        request.getfixturevalue("s3")
        return open_store(f"s3://{BUCKET}/{tmp_path.name}", {})
    return open_store("memory:" if request.param == "memory" else str(tmp_path / "bucket"), {})
