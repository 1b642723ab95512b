"""How soon `headwater --help` answers, and a connector its `spec`: the median and the slowest of some starts."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
STARTS = 15
SPEC = b'{"spec":{}}\n'


def main() -> None:
    help_ = [str(Path(sys.executable).parent / "headwater"), "--help"]
    told = {"headwater --help (goal: 0.3 s)": help_, "spec of source-bigdata": [sys.executable, "-m", "source-bigdata"]}
    for name, command in told.items():
        seconds = [_seconds(command) for _ in range(STARTS)]
        print(f"{name}: median {statistics.median(seconds):.3f} s, slowest {max(seconds):.3f} s of {STARTS}")


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, input=SPEC, capture_output=True, check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
