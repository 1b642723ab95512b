"""A whole spec into a PostgreSQL server, and killing it: what the tests and the benchmark of chaos share.

source-bigdata's orders and line items → totals of the orders, kept in state and by reductions → materialize-postgres,
three tables with loads, and one to which orders are only added.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import psutil
import yaml

from python.runner.status import status
from tests.conversing import ROOT
from tests.postgres import PASSWORD, Postgres
from tests.whole_spec import HEADWATER, SUMMED, local

ORDERS, LINE_ITEMS, TOTALS = "acmeCo/orders", "acmeCo/line_items", "acmeCo/order_totals"
CAPTURE, WAREHOUSE = "acmeCo/source-bigdata", "acmeCo/materialize-postgres"
TABLES = {"orders": ORDERS, "line_items": LINE_ITEMS, "order_totals": TOTALS, "orders_added": ORDERS}
ADDED = "orders_added"
"""The table with delta updates. An order is captured once, so it has a row for each, however commits fall."""

PROGRAMS = {CAPTURE: "source-bigdata", TOTALS: "order_totals.py", WAREHOUSE: "materialize-postgres"}
BEGUN = {CAPTURE: "capturing", TOTALS: "deriving", WAREHOUSE: "materializing"}
RUNNER = "runner"
VICTIMS = (*PROGRAMS, RUNNER)

AMID_COMMITS = "between first and last commit"
BEFORE_COMMIT = "before the first commit"
AFTER_COMMITS = "after the last commit"
MISSED = "nothing there to kill"
_ALL_CAPTURED = "(2 of 2 streams done)"
_SECONDS_MAX = 300
_LOOK_SECONDS = 0.02
_EARLY = 0.15  # of the kills are aimed from the beginning of a session on, the others from its first commit on


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
            self.command(), cwd=ROOT, capture_output=True, text=True, check=False, timeout=_SECONDS_MAX
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
        if self.query(f"select to_regclass('{totals}') is null or to_regclass('{added}') is null") == ["t"]:
            return []  # killed before the tables were there
        unlike = self.query(f"select bucket from {totals} where orders <> counted")  # noqa: S608 -- names of ours
        twice = self.query(f"select id from {added} group by id having count(*) > 1")  # noqa: S608 -- same
        with duckdb.connect(str(self.store), read_only=True) as db:
            stored = db.execute(f'select bucket from "{TOTALS}" where orders <> counted').fetchall()  # noqa: S608 -- ours
        return [
            f"{what}: {found[:5]}"
            for what, found in (("unlike totals", unlike), ("added twice", twice), ("unlike in the store", stored))
            if found
        ]

    def progress(self) -> dict[str, tuple[int, int]]:
        """Return, for each task, how often it has committed, and how many documents of its sources are not read."""
        if not self.store.exists():
            return {}
        told = io.StringIO()
        status(str(self.store), told, as_json=True)
        found = [json.loads(line) for line in told.getvalue().splitlines()]
        return {each["task"]: (each["transactions"], each["behind"]) for each in found}


class Session:
    """One run, whose processes are there to be disturbed."""

    def __init__(self, chaos: Chaos) -> None:
        self.chaos = chaos
        self.before = chaos.progress()
        self.process = subprocess.Popen(
            chaos.command(),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.said: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            with self._news:
                self.said.append(line)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def until_said(self, *sentences: str) -> bool:
        """Wait until each was said; return whether all were, before the run ended."""

        def said() -> bool:
            return all(any(sentence in line for line in self.said) for sentence in sentences)

        with self._news:
            assert self._news.wait_for(lambda: said() or self._ended, _SECONDS_MAX), self.said
            return said()

    def send(self, victim: str, number: signal.Signals) -> bool:
        """Send a signal to a connector or the runner; return whether there was one that ran."""
        found = [each for each in self.running(victim) if each.status() != psutil.STATUS_ZOMBIE]
        for each in found:
            each.send_signal(number)
        return bool(found)

    def running(self, victim: str) -> list[psutil.Process]:
        """Return the processes of `victim`."""
        try:
            runner = psutil.Process(self.process.pid)
            if victim == RUNNER:
                return [runner]
            return [each for each in runner.children() if any(PROGRAMS[victim] in word for word in each.cmdline())]
        except psutil.NoSuchProcess:
            return []

    def end(self) -> str:
        """Return all that was said, once the run has ended."""
        self._listener.join(_SECONDS_MAX)
        self.process.wait(_SECONDS_MAX)
        return "".join(self.said)

    def until_committed(self, victim: str) -> bool:
        """Wait until the run tells that the victim has committed; return whether it did, before the run ended."""
        told = Path(f"{self.chaos.store}.status.json")
        deadline = time.monotonic() + _SECONDS_MAX
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.said
            with contextlib.suppress(FileNotFoundError):
                found = {each["task"]: each["transactions"] for each in json.loads(told.read_bytes())}
                if self._committed(victim, found):
                    return True
            time.sleep(_LOOK_SECONDS)
        return False

    def _committed(self, victim: str, transactions: Mapping[str, int]) -> bool:
        tasks = list(PROGRAMS) if victim == RUNNER else [victim]
        return all(transactions.get(task, 0) > self.before.get(task, (0, 0))[0] for task in tasks)

    def where(self, victim: str) -> str:
        """Return where a kill fell, as the store tells it after the session.

        The runner's has to fall between the commits of all tasks. A task that has read all is not asked what it had
        yet to commit: its kills count as fallen after the last commit.
        """
        after = self.chaos.progress()
        if not self._committed(victim, {task: transactions for task, (transactions, _) in after.items()}):
            return BEFORE_COMMIT
        captured = any(_ALL_CAPTURED in line for line in self.said)
        behind = victim in (TOTALS, WAREHOUSE) and after[victim][1] > 0
        return AFTER_COMMITS if captured and not behind else AMID_COMMITS


class Killer:
    """Kills sessions of a spec, and counts where the kills fell: `fell` has a counter for each victim."""

    def __init__(self, chaos: Chaos, chance: random.Random, seconds_max: float) -> None:
        self._chaos = chaos
        self._chance = chance
        self._seconds_max = seconds_max
        self.fell: dict[str, Counter[str]] = {victim: Counter() for victim in VICTIMS}
        self.in_a_row = 0

    def kill(self, victim: str) -> str:
        """Start the run, kill `victim` at a random moment of its session, end the run; return where the kill fell.

        After a connector, in half of the cases the runner is killed, too, a moment later; else it is asked to stop,
        so that the other tasks leave something to do. What is there then has to be right as far as it goes.
        """
        session = Session(self._chaos)
        begun = [f"{task}: {begin}" for task, begin in BEGUN.items() if victim in (task, RUNNER)]
        runs = session.until_said(*begun)
        if runs and self._chance.random() > _EARLY:
            runs = session.until_committed(victim)
        time.sleep(
            self._chance.uniform(0.0, self._seconds_max) if runs else 0.0
        )  # a random moment: nothing is waited for
        hits = {victim: session.send(victim, signal.SIGKILL)}
        if victim != RUNNER:
            time.sleep(self._chance.uniform(0.0, 0.3))
            again = self._chance.random() < 0.5
            number = signal.SIGKILL if again else signal.SIGTERM
            hits |= {RUNNER: hit} if (hit := session.send(RUNNER, number)) and again else {}
        said = session.end()
        assert "Traceback" not in said, said
        self.in_a_row += len([hit for hit in hits.values() if hit]) > 1
        for each, hit in hits.items():
            self.fell[each][session.where(each) if hit else MISSED] += 1
        doubts = self._chaos.doubts()
        assert doubts == [], (victim, doubts, said)
        return session.where(victim) if hits[victim] else MISSED


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
