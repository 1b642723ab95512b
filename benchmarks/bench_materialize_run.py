"""How many documents a second `headwater run` takes from a collection into each database: runner, connector, server.

First all keys are new, then half of them exist; with delta updates, documents are only added. The clock runs from the
session's begin to the end of the process, its last acknowledgement included, and so does the processor time, which says
more where other work runs beside. `--documents N` sets the size of each part, `--only NAME` chooses a database.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from python.protocol.flow import CollectionSpec  # noqa: E402 -- run as a script
from python.runner.collector import Collector  # noqa: E402 -- same
from python.runner.combiner import Combiner  # noqa: E402 -- same
from python.runner.store import Store  # noqa: E402 -- same
from tests.postgres import PASSWORD, postgres  # noqa: E402 -- same

NAME, TASK, SOURCE = "acmeCo/users", "acmeCo/target", "acmeCo/source"
BATCH = 40_000
SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "email": {"type": "string"},
        "age": {"type": "integer"},
        "score": {"type": "number"},
        "at": {"type": "string", "format": "date-time"},
        "active": {"type": "boolean"},
    },
    "required": ["id"],
}
DOCUMENT = (
    b'{"id":%d,"name":"Some Name %d","email":"user%d@example.com","age":%d,"score":%d.25,'
    b'"at":"2024-01-31T12:00:00Z","active":true,"about":"' + b"x" * 60 + b'"}'
)


class Measured(NamedTuple):
    """One run: documents read, seconds from its session's begin to its end, peak memory of the runner in MB.

    `cpu_seconds` are those of the runner, of the connector, and of a database that is a process of its own.
    """

    documents: int
    seconds: float
    runner_mb: float
    cpu_seconds: Sequence[float]


def fill(path: Path, first: int, documents: int) -> None:
    """The collection has these documents more, by their ids, in its table and its journal."""
    store = Store(str(path))
    store.declare({NAME: (b'{"key":["/id"]}', [])})
    store.follow([NAME])
    schema = msgspec.Raw(json.dumps(SCHEMA).encode())
    collector = Collector(CollectionSpec(name=NAME, key=("/id",), write_schema=schema))
    for begin in range(first, first + documents, BATCH):
        combiner = Combiner([collector])
        for number in range(begin, min(begin + BATCH, first + documents)):
            combiner.add(0, DOCUMENT % (number, number, number, number % 90, number % 1000))
        store.commit((SOURCE, 0), store.task(SOURCE, 0), [collector], combiner.take_current())
    store.close()


def write_spec(folder: Path, connector: str, config: dict[str, Any], resource: dict[str, Any]) -> None:
    endpoint = {"local": {"command": ["python", "-m", f"materialize-{connector}"], "config": config}}
    binding = {"resource": resource, "source": NAME}
    spec = {
        "collections": {NAME: {"schema": SCHEMA, "key": ["/id"]}},
        "materializations": {TASK: {"endpoint": endpoint, "bindings": [binding], "shards": {"logLevel": "warn"}}},
    }
    (folder / "bench.flow.yaml").write_text(json.dumps(spec))


def run(folder: Path) -> Measured:
    """`headwater run` until all is materialized."""
    headwater = str(Path(sys.executable).parent / "headwater")
    command = [headwater, "run", "--source", str(folder / "bench.flow.yaml"), "--store", str(folder / "bench.duckdb")]
    servers = psutil.Process().children()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watcher = Watcher(process.pid, servers)
    watcher.start()
    assert process.stderr
    assert process.stdout
    began, before, said = time.monotonic(), watcher.cpu_seconds(), []
    for line in process.stderr:
        said.append(line)
        if "materializing" in line:
            began, before = time.monotonic(), watcher.cpu_seconds()
    out = process.stdout.read()
    process.wait()
    seconds = time.monotonic() - began
    watcher.join()
    assert process.returncode == 0, "".join(said)
    total = re.search(r"([\d,]+) documents read", out)
    assert total, out
    spent = [after - first for after, first in zip(watcher.cpu_seconds(), before, strict=True)]
    return Measured(int(total[1].replace(",", "")), seconds, watcher.peak_mb, spent)


class Watcher(threading.Thread):
    """Looks at a runner, at its connector, and at the processes of `servers`, until the runner has ended."""

    def __init__(self, pid: int, servers: Sequence[psutil.Process]) -> None:
        super().__init__()
        self._runner = psutil.Process(pid)
        self._servers = servers
        self._seen: list[dict[int, float]] = [{}, {}, {}]
        self.peak_mb = 0.0

    def run(self) -> None:
        """The thread's own work."""
        with contextlib.suppress(psutil.NoSuchProcess):
            while self._runner.status() != psutil.STATUS_ZOMBIE:
                self._look()
                time.sleep(0.02)

    def cpu_seconds(self) -> list[float]:
        """What runner, connector and servers have needed so far, as it was last seen of each process."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._look()
        return [sum(seen.values()) for seen in self._seen]

    def _look(self) -> None:
        self.peak_mb = max(self.peak_mb, self._runner.memory_info().rss / 1e6)
        backends = [backend for server in self._servers for backend in server.children()]
        for seen, found in zip(self._seen, ([self._runner], self._runner.children(), backends), strict=True):
            for process in found:
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    seen[process.pid] = times.user + times.system


@contextlib.contextmanager
def target(connector: str, folder: Path) -> Iterator[dict[str, Any]]:
    """Within, an empty database for `connector`; yields the config that reaches it."""
    if connector != "postgres":
        yield {"path": str(folder / f"target.{connector}")}
        return
    with postgres() as server:
        yield {"address": f"127.0.0.1:{server.port}", "password": PASSWORD}


def measure(connector: str, documents: int, *, delta: bool) -> None:
    with tempfile.TemporaryDirectory() as name, target(connector, Path(name)) as config:
        folder, before = Path(name), 0
        write_spec(folder, connector, config, {"table": "users", "delta_updates": delta})
        parts = (
            [("delta updates", 0)] if delta else [("all keys are new", 0), ("half of the keys exist", documents // 2)]
        )
        for what, first in parts:
            fill(folder / "bench.duckdb", first, documents)
            measured = run(folder)
            count, before = measured.documents - before, measured.documents
            rate, memory = count / measured.seconds, f"runner {measured.runner_mb:,.0f} MB"
            runner, own, server = (seconds / count * 1e6 for seconds in measured.cpu_seconds)
            spent = f"µs of CPU: runner {runner:.1f}, connector {own:.1f}, server {server:.1f}"
            print(f"materialize-{connector}, {what}: {count:,} documents, {rate:,.0f}/s, {spent}, {memory}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=500_000)
    parser.add_argument("--only", choices=["postgres", "duckdb", "sqlite"])
    options = parser.parse_args()
    for chosen in [options.only] if options.only else ["postgres", "duckdb", "sqlite"]:
        for kind in (False, True):
            measure(chosen, options.documents, delta=kind)
