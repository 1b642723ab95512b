"""materialize-parquet passes the suite of targets on an object store, too: what tells one from a folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from python.acceptance.target_suite import Target, check
from tests.conversing import ROOT

pytestmark = pytest.mark.slow

CHOSEN = ("updates", "hard deletes", "delta updates", "backfills", "zombies", "replayed acknowledgements")


@pytest.fixture
def target(store: dict[str, Any], tmp_path: Path) -> Target:
    from materialize_parquet import MaterializeParquet

    client = store["client_kwargs"]
    reached = {
        "access_key_id": store["key"],
        "secret_access_key": store["secret"],
        "region": client["region_name"],
        "endpoint": client["endpoint_url"],
    }
    return Target(
        command=(sys.executable, "-m", "materialize-parquet"),
        make=MaterializeParquet,
        config={"url": f"s3://bucket{tmp_path}", "s3": reached},
        rows=lambda table: rows(store, f"bucket{tmp_path}", table),
        env={"PYTHONPATH": str(ROOT)},
        cwd=str(ROOT),
    )


def rows(store: dict[str, Any], folder: str, table: str) -> list[dict[str, Any]]:
    import fsspec
    import pyarrow as pa
    import pyarrow.parquet as pq
    from materialize_parquet.folder import file_name

    files = fsspec.filesystem("s3", **store, skip_instance_cache=True, use_listings_cache=False)
    parts = sorted(files.glob(f"{folder}/{file_name(table)}/part-*.parquet"))
    tables = [pq.read_table(part, filesystem=files) for part in parts]
    if not tables:
        return []
    found = pa.concat_tables(tables, promote_options="permissive").to_pylist()
    return [{name: None if value is None else str(value) for name, value in row.items()} for row in found]


@pytest.mark.parametrize("case", CHOSEN)
def test_it_passes_on_an_object_store(case: str, target: Target) -> None:
    check(target, case)
