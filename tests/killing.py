"""Running `headwater run` on source-bigdata, and killing it: what the chaos test and the chaos benchmark share."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import psutil
import yaml

ROOT = Path(__file__).parent.parent
SPEC = ROOT / "source-bigdata" / "test.flow.yaml"
TASK = "acmeCo/source-bigdata"
COUNTED = ("events", "orders")
"""The streams whose rows the state counts: a refresh of keyed rows, as line_items, starts over whatever it has done."""

OPEN = "waiting for the first checkpoint"
"""What the runner says once a session is open."""

BEFORE_COMMIT = "before the session's first commit"
AMID_COMMITS = "between the session's first and last commit"
AFTER_CAPTURE = "after the last document was read"
MISSED = "nothing: the run had ended"
_ATTEMPTS = 4  # a kill; a miss is tried again
_REACH = 0.7  # of an undisturbed session's commits: one that is resumed has fewer
_SOONER = 0.8  # a session that goes on from a late state has less left, and a busy machine shows several commits as one
_TRANSACTION_SECONDS = 0.05  # about: so that kills fall within transactions, too
_LOOK_SECONDS = 0.002


class Undisturbed(NamedTuple):
    """What a run to the end leaves in the store, and how many transactions that took."""

    collections: dict[str, tuple[int, str]]
    transactions: int


def write_spec(folder: Path, documents: int) -> Path:
    """A copy of source-bigdata's spec which makes `documents`, checkpoints often, and commits often.

    The value of an order is the sum of all that was captured for its key: an order that is captured twice shows.
    """
    spec = yaml.safe_load(SPEC.read_text())
    local = spec["captures"][TASK]["endpoint"]["local"]
    local["config"] = {**local["config"], "documents": documents, "page_size": 1000}
    spec["captures"][TASK]["shards"] = {"minTxnDuration": "20ms"}  # so that some transactions have several checkpoints
    orders = spec["collections"]["acmeCo/orders"]["schema"]
    orders["reduce"] = {"strategy": "merge"}
    orders["properties"]["cents"]["reduce"] = {"strategy": "sum"}
    path = folder / "chaos.flow.yaml"
    path.write_text(json.dumps(spec))
    return path


def undisturbed_run(spec: Path, store: Path) -> Undisturbed:
    """Run to the end; return what is in the store, and how many transactions that took."""
    before = _transactions(store)
    with _started(spec, store) as process:
        said = _until_open(process) + _rest(process)
    assert process.returncode == 0, said
    return Undisturbed(collections_of(store), _transactions(store) - before)


def killed_run(spec: Path, store: Path, victim: str, plan: tuple[int, int], chance: random.Random) -> Counter[str]:
    """Start the run, kill `victim` at a random point of its session, and again; then let it end. Return the kills.

    `plan` is how many kills have to fall between first and last commit of a session, and how many transactions an
    undisturbed session has. A run that ended before its kill makes the next one start over from its refresh streams.
    Whatever the kill left, documents and connector state in the store are of one commit.
    """
    kills, transactions = plan
    fell: Counter[str] = Counter()
    latest = _REACH * transactions
    while fell[AMID_COMMITS] < kills:
        assert fell.total() < _ATTEMPTS * kills, f"too few kills hit a session between its commits: {fell}"
        before, rows = _transactions(store), _rows(store)
        killed = _killed(
            spec, store, victim, (int(chance.uniform(0, latest)), chance.uniform(0.0, _TRANSACTION_SECONDS))
        )
        late = "(3 of 3 streams done)" in killed.said
        if late or not killed.hit:
            latest *= _SOONER
        where = AFTER_CAPTURE if late else AMID_COMMITS
        fell[MISSED if not killed.hit else BEFORE_COMMIT if _transactions(store) == before else where] += 1
        assert_consistent(store, rows)
    undisturbed_run(spec, store)
    return fell


def collections_of(store: Path) -> dict[str, tuple[int, str]]:
    """The number of documents of each collection, and a digest of all of them."""
    with duckdb.connect(str(store), read_only=True) as db:
        names = [row[0] for row in db.execute("select view_name from duckdb_views() where not internal").fetchall()]
        found = {}
        for name in sorted(name for name in names if name.startswith("acmeCo/")):
            rows = db.execute(f'select flow_document::varchar from "{name}" order by 1').fetchall()  # noqa: S608 -- ours
            found[name] = (len(rows), hashlib.sha256("\n".join(row[0] for row in rows).encode()).hexdigest())
    return found


def assert_consistent(store: Path, before: Mapping[str, int]) -> None:
    """Documents and state in the store are of one commit: a stream has the rows that its state counts, no more.

    A refresh that starts over numbers its rows anew, and writes over the ones it had `before`.
    """
    with duckdb.connect(str(store), read_only=True) as db:
        stored = db.execute("select state from headwater.tasks where name = $1", [TASK]).fetchone()
        last = db.execute('select max("updated_at")::varchar from "acmeCo/orders"').fetchone()
    states = json.loads(stored[0]).get("bindingStateV1", {}) if stored else {}
    counted = {name: states.get(name, {}).get("rowId", 0) for name in COUNTED}
    found, wanted = _rows(store), {name: max(before[name], counted[name]) for name in COUNTED}
    assert found == wanted, f"the store has {found} rows, and its state has counted {wanted}"
    if counted["orders"]:
        assert last
        cursor = states["orders"]["state"]["stream"]["stream_state"]["updated_at"]
        assert _digits(last[0]).startswith(_digits(cursor)), (last, cursor)


def _rows(store: Path) -> dict[str, int]:
    if not store.exists():
        return dict.fromkeys(COUNTED, 0)
    with duckdb.connect(str(store), read_only=True) as db:
        found = {name: db.execute(f'select count(*) from "acmeCo/{name}"').fetchone() for name in COUNTED}  # noqa: S608 -- ours
    return {name: row[0] for name, row in found.items() if row}


def _digits(time_of_day: str) -> str:
    return re.sub(r"\D", "", time_of_day)


def _transactions(store: Path) -> int:
    if not store.exists():
        return 0
    with duckdb.connect(str(store), read_only=True) as db:
        found = db.execute("select transactions from headwater.tasks where name = $1", [TASK]).fetchone()
    return int(found[0]) if found else 0


class _Killed(NamedTuple):
    hit: bool
    said: str


def _killed(spec: Path, store: Path, victim: str, when: tuple[int, float]) -> _Killed:
    """Kill `victim` after so many commits of its session, and then so many seconds. Return what it hit and said."""
    with _started(spec, store) as process:
        said = _until_open(process)
        killer = threading.Thread(target=_kill_after, args=(process, victim, store, when))
        killer.start()
        said += _rest(process)
        killer.join()
    if victim == "runner":
        return _Killed(process.returncode == -signal.SIGKILL, said)
    return _Killed(process.returncode == 1 and "ended with signal SIGKILL" in said, said)


def _kill_after(process: subprocess.Popen[str], victim: str, store: Path, when: tuple[int, float]) -> None:
    """Each commit changes the size of the store's write-ahead log, which is looked at: the store itself is locked."""
    commits, seconds = when
    wal = store.with_name(f"{store.name}.wal")
    size = _size(wal)
    while commits > 0 and process.poll() is None:
        time.sleep(_LOOK_SECONDS)
        commits -= size != (size := _size(wal))
    time.sleep(seconds)
    if process.poll() is None:
        _kill(process, victim)


def _size(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _kill(process: subprocess.Popen[str], victim: str) -> None:
    if victim == "runner":
        process.kill()
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children():
            os.kill(child.pid, signal.SIGKILL)


def _started(spec: Path, store: Path) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).parent / "headwater"), "run", "--source", str(spec), "--store", str(store)]
    pipes: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes)


def _until_open(process: subprocess.Popen[str]) -> str:
    assert process.stderr
    said = ""
    for line in process.stderr:
        said += line
        if OPEN in line:
            return said
    raise AssertionError(f"the run ended before its session was open: {said}")


def _rest(process: subprocess.Popen[str]) -> str:
    assert process.stderr
    said = process.stderr.read()
    process.wait()
    return said
