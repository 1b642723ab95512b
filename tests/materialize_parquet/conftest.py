from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import s3fs
from moto.server import ThreadedMotoServer

# materialize-parquet has an environment of its own; where it is not in this one, the end-to-end tests are what is left.
collect_ignore_glob = [] if importlib.util.find_spec("materialize_parquet") else ["test_*.py"]


@pytest.fixture(scope="session")
def store() -> Iterator[Any]:
    """An object store of the S3 kind, on loopback, with a bucket: the options of fsspec to reach it."""
    running = ThreadedMotoServer(port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    options = {
        "key": "x",
        "secret": "y",
        "client_kwargs": {"endpoint_url": f"http://{host}:{port}", "region_name": "eu-central-1"},
    }
    s3fs.S3FileSystem(**options).mkdir("bucket")
    yield options
    running.stop()


@pytest.fixture(params=["local", "memory", pytest.param("s3", marks=pytest.mark.slow)])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """An empty folder on each kind of file system."""
    from materialize_parquet.folder import Folder

    if request.param == "s3":
        return Folder.at(f"s3://bucket{tmp_path}", **request.getfixturevalue("store"))
    return Folder.at(str(tmp_path) if request.param == "local" else f"memory:/{tmp_path}")
