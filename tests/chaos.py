"""A whole spec into a PostgreSQL server: what the tests and the benchmark of chaos disturb, and compare.

source-bigdata's orders and line items → totals of the orders, kept in state and by reductions → materialize-postgres,
three tables with loads, and one to which orders are only added.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import yaml

from python.protocol.errors import HeadwaterError
from python.runner.status import status
from tests.conversing import ROOT
from tests.postgres import PASSWORD, Postgres
from tests.whole_spec import HEADWATER, SUMMED, local

ORDERS, LINE_ITEMS, TOTALS = "acmeCo/orders", "acmeCo/line_items", "acmeCo/order_totals"
CAPTURE, WAREHOUSE = "acmeCo/source-bigdata", "acmeCo/materialize-postgres"
TABLES = {"orders": ORDERS, "line_items": LINE_ITEMS, "order_totals": TOTALS, "orders_added": ORDERS}
ADDED = "orders_added"
"""The table with delta updates. An order is captured once, so it has a row for each, however commits fall."""

SECONDS_MAX = 300


class Chaos(NamedTuple):
    """A spec in a folder, which fills a schema of its own in `server`."""

    folder: Path
    server: Postgres
    schema: str

    @property
    def store(self) -> Path:
        return self.folder / f"{self.schema}.duckdb"

    def command(self) -> list[str]:
        spec = self.folder / f"{self.schema}.flow.yaml"
        return [HEADWATER, "run", "--source", str(spec), "--store", str(self.store)]

    def write(self, documents: int, command: Sequence[str] = ("python", "-m", "materialize-postgres")) -> Chaos:
        """The spec makes a third of `documents` orders, as many line items, and commits often."""
        spec = yaml.safe_load((ROOT / "source-bigdata" / "test.flow.yaml").read_text())
        capture = spec["captures"][CAPTURE]
        capture["endpoint"]["local"]["config"].update(documents=documents, page_size=1000)
        capture["bindings"] = [each for each in capture["bindings"] if each["target"] != "acmeCo/events"]
        capture["shards"] = {"minTxnDuration": "20ms"}
        del spec["collections"]["acmeCo/events"]
        orders = spec["collections"][ORDERS]["schema"]
        orders["reduce"] = {"strategy": "merge"}
        orders["properties"]["cents"]["reduce"] = {"strategy": "sum"}
        spec["collections"][TOTALS] = _totals()
        spec["materializations"] = {WAREHOUSE: self._warehouse(command)}
        (self.folder / f"{self.schema}.flow.yaml").write_text(json.dumps(spec))
        return self

    def _warehouse(self, command: Sequence[str]) -> dict[str, Any]:
        config = {"address": f"127.0.0.1:{self.server.port}", "password": PASSWORD, "schema": self.schema}
        return {
            "endpoint": {"local": {"command": list(command), "config": config, "env": {"PYTHONPATH": str(ROOT)}}},
            "bindings": [
                {
                    "resource": {"table": table, "delta_updates": table == ADDED},
                    "source": collection,
                    "fields": {"recommended": True, "exclude": ["flow_published_at"]},
                }
                for table, collection in TABLES.items()
            ],
        }

    def run(self) -> subprocess.CompletedProcess[str]:
        """Run to the end."""
        return subprocess.run(
            self.command(), cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS_MAX
        )

    def query(self, sql: str) -> list[str]:
        """Return what a client of the server reads, a line a row."""
        return self.server.query(sql)

    def contents(self) -> dict[str, list[str]]:
        """Return all rows of all tables, and all documents of all collections in the store."""
        found = {
            table: sorted(self.query(f'copy "{self.schema}"."{table}" to stdout with (format csv, header)'))
            for table in TABLES
        }
        with duckdb.connect(str(self.store), read_only=True) as db:
            for name in sorted(set(TABLES.values())):
                rows = db.execute(f'select flow_document::varchar from "{name}"').fetchall()  # noqa: S608 -- ours
                found[name] = sorted(row[0] for row in rows)
        return found

    def doubts(self) -> list[str]:
        """Return what is wrong with the tables and the store, however far they have come."""
        totals, added = f'"{self.schema}".order_totals', f'"{self.schema}".{ADDED}'
        progress = self.progress()
        if not all(progress.get(task, (0, 0))[0] for task in (CAPTURE, TOTALS, WAREHOUSE)):
            return []  # killed before the first commit of each task
        unlike = self.query(f"select bucket from {totals} where orders <> counted")  # noqa: S608 -- names of ours
        twice = self.query(f"select id from {added} group by id having count(*) > 1")  # noqa: S608 -- same
        with duckdb.connect(str(self.store), read_only=True) as db:
            stored = db.execute(f'select bucket from "{TOTALS}" where orders <> counted').fetchall()  # noqa: S608 -- same
        return [
            f"{what}: {found[:5]}"
            for what, found in (("unlike totals", unlike), ("added twice", twice), ("unlike in the store", stored))
            if found
        ]

    def progress(self) -> dict[str, tuple[int, int]]:
        """Return, for each task, how often it has committed, and how many documents of its sources are not read."""
        told = io.StringIO()
        with contextlib.suppress(HeadwaterError):  # killed before there was a store
            status(str(self.store), told, as_json=True)
        found = [json.loads(line) for line in told.getvalue().splitlines()]
        return {each["task"]: (each["transactions"], each["behind"]) for each in found}


def differences(expected: Mapping[str, Sequence[str]], found: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a sentence for each table or collection that differs, with a few of the rows."""
    sentences = []
    for name, rows in expected.items():
        if rows != found.get(name):
            there, wanted = Counter(found.get(name, ())), Counter(rows)
            more, fewer = list((there - wanted).elements()), list((wanted - there).elements())
            sentences.append(f"{name}: {len(more)} too many: {more[:3]}; {len(fewer)} missing: {fewer[:3]}")
    return sentences


def _totals() -> dict[str, Any]:
    plain = {"type": "integer"}
    return {
        "schema": {
            "type": "object",
            "reduce": {"strategy": "merge"},
            "properties": {"bucket": plain, "orders": SUMMED, "cents": SUMMED, "counted": plain, "mixed": plain},
            "required": ["bucket"],
        },
        "key": ["/bucket"],
        "derive": {
            "using": local("order_totals.py", {}),
            "transforms": [{"name": "orders", "source": ORDERS, "shuffle": {"key": ["/id"]}}],
        },
    }
