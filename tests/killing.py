"""Running `headwater run` on source-bigdata, and killing it: what the chaos test and the chaos benchmark share."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import psutil
import yaml

ROOT = Path(__file__).parent.parent
SPEC = ROOT / "source-bigdata" / "test.flow.yaml"
TASK = "acmeCo/source-bigdata"
SECONDS_MAX = 300


def write_spec(folder: Path, documents: int) -> Path:
    """A copy of source-bigdata's spec which makes `documents`, and checkpoints often."""
    spec = yaml.safe_load(SPEC.read_text())
    local = spec["captures"][TASK]["endpoint"]["local"]
    local["config"] = {**local["config"], "documents": documents, "page_size": 1000}
    path = folder / "chaos.flow.yaml"
    path.write_text(json.dumps(spec))
    return path


def command(spec: Path, store: Path) -> list[str]:
    """`headwater run`, in this environment."""
    return [str(Path(sys.executable).parent / "headwater"), "run", "--source", str(spec), "--store", str(store)]


def undisturbed_run(spec: Path, store: Path) -> dict[str, tuple[int, str]]:
    """Run to the end; return what is in the store."""
    done = subprocess.run(command(spec, store), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return collections_of(store)


def killed_run(spec: Path, store: Path, victim: str, kills: int, chance: random.Random) -> int:
    """Start the run, kill `victim` at a random point, and again, `kills` times; then let it end. Return the kills.

    A run that ends before its kill makes the next one start over from its refresh streams: also a point to resume at.
    """
    for _ in range(kills):
        process = subprocess.Popen(
            command(spec, store), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        _kill_at(process, victim, chance.uniform(0.2, 4.0))
        process.wait(SECONDS_MAX)
    undisturbed_run(spec, store)
    return kills


def collections_of(store: Path) -> dict[str, tuple[int, str]]:
    """The number of documents of each collection, and a digest of all of them."""
    with duckdb.connect(str(store), read_only=True) as db:
        names = [row[0] for row in db.execute("select view_name from duckdb_views() where not internal").fetchall()]
        found = {}
        for name in sorted(name for name in names if name.startswith("acmeCo/")):
            rows = db.execute(f'select flow_document::varchar from "{name}" order by 1').fetchall()  # noqa: S608 -- ours
            found[name] = (len(rows), hashlib.sha256("\n".join(row[0] for row in rows).encode()).hexdigest())
    return found


def _kill_at(process: subprocess.Popen[bytes], victim: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    if process.poll() is not None:
        return
    if victim == "runner":
        process.kill()
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children():
            os.kill(child.pid, signal.SIGKILL)
