"""materialize-parquet in a run, and its tables as DuckDB reads them, by the queries of its README."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conversing import ROOT
from tests.end_to_end.materializations import command, snapshots_of
from tests.whole_spec import CAPTURE, SHELF, config, expected_totals, run, spec, write

pytestmark = pytest.mark.slow

NAME = "materialize-parquet"


def queries() -> list[str]:
    """The SQL of the README: by a glob, and by the manifest."""
    blocks = re.findall(r"```sql\n(.*?)```", (ROOT / NAME / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    return blocks


def documents(query: str, folder: Path, table: str) -> list[dict[str, Any]]:
    with duckdb.connect() as db:
        db.execute(query.replace("tables/orders", f"{folder}/tables/{table}"))
        names = [each[0] for each in db.description or ()]
        found = [dict(zip(names, row, strict=True)) for row in db.fetchall()]
    return [json.loads(row["flow_document"]) for row in found]


@pytest.mark.parametrize("query", [0, 1])
def test_a_run_stores_its_collections_and_goes_on_where_it_ended(tmp_path: Path, query: int) -> None:
    whole = spec(tmp_path)
    local = whole["materializations"][SHELF]["endpoint"]["local"]
    local.update(command=command(NAME), config={"url": str(tmp_path / "tables")})
    write(tmp_path, whole)
    first = run(tmp_path)
    config(whole, CAPTURE)["count"] = 145
    write(tmp_path, whole)
    second = run(tmp_path)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    totals = {doc["digit"]: doc for doc in documents(queries()[query], tmp_path, "totals")}
    assert totals == expected_totals(145)
    numbers = documents(queries()[query], tmp_path, "numbers")
    assert sorted(doc["n"] for doc in numbers) == list(range(145))


def test_what_it_says_of_itself_is_what_it_said(tmp_path: Path) -> None:
    told = snapshots_of(NAME, {"url": str(tmp_path / "tables")})

    assert told["applied"][0]["actionDescription"] == "create table t for acmeCo/things"
    assert "add column integer of type decimal" in told["applied"][1]["actionDescription"]
    constraints = told["validated"]["validated"]["bindings"][0]["constraints"]
    assert constraints["nothing"]["type"] == "FIELD_FORBIDDEN"
    assert constraints["flow_document"]["type"] == "LOCATION_REQUIRED"
    assert told["spec"]["spec"]["configSchema"]["required"] == ["url"]
