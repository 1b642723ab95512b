"""What the benchmarks share: a spec of any size for source-bigdata, and a run with its peak memory."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import psutil
import yaml

ROOT = Path(__file__).parent.parent
SPEC = ROOT / "source-bigdata" / "test.flow.yaml"
TASK = "acmeCo/source-bigdata"


class Run(NamedTuple):
    """One `headwater run`: seconds from the first commit it told to its end, and peak resident memory in MB."""

    seconds: float
    documents: int
    runner_mb: float
    connector_mb: float


def write_spec(folder: Path, documents: int) -> Path:
    spec = yaml.safe_load(SPEC.read_text())
    local = spec["captures"][TASK]["endpoint"]["local"]
    local["config"] = {**local["config"], "documents": documents}
    spec["captures"][TASK]["shards"] = {"logLevel": "warn"}
    path = folder / f"bigdata-{documents}.flow.yaml"
    path.write_text(json.dumps(spec))
    return path


def run(spec: Path, store: Path) -> Run:
    """Run to the end in a process of its own; the clock runs from `opened`, when the capture begins."""
    store.unlink(missing_ok=True)
    command = [str(Path(sys.executable).parent / "headwater"), "run", "--source", str(spec), "--store", str(store)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peaks = {"runner": 0.0, "connector": 0.0}
    watcher = threading.Thread(target=_watch, args=(process.pid, peaks))
    watcher.start()
    assert process.stderr
    assert process.stdout
    began = time.monotonic()
    for line in process.stderr:
        if "waiting for the first checkpoint" in line:
            began = time.monotonic()
    summary = process.stdout.read()
    seconds = time.monotonic() - began
    process.wait()
    watcher.join()
    assert process.returncode == 0, summary
    total = next(line for line in summary.splitlines() if line.startswith("total"))
    return Run(seconds, int(total.split()[1].replace(",", "")), peaks["runner"], peaks["connector"])


def machine() -> str:
    return f"{platform.machine()}, {psutil.cpu_count()} cores, Python {platform.python_version()}"


def _watch(pid: int, peaks: dict[str, float]) -> None:
    try:
        runner = psutil.Process(pid)
        while runner.is_running() and runner.status() != psutil.STATUS_ZOMBIE:
            peaks["runner"] = max(peaks["runner"], runner.memory_info().rss / 1e6)
            for child in runner.children():
                peaks["connector"] = max(peaks["connector"], child.memory_info().rss / 1e6)
            time.sleep(0.05)
    except psutil.NoSuchProcess:
        return
