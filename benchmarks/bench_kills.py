"""Kill a run with SIGKILL at random points, half of the times the connector, half the runner; resume; compare.

Each round kills several times, then lets the run end, and compares every collection with that of an undisturbed run.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.killing import killed_run, undisturbed_run, write_spec

KILLS = 200
A_ROUND = 10
DOCUMENTS = 60_000


def main() -> None:
    equal = kills = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = write_spec(folder, DOCUMENTS)
        expected = undisturbed_run(spec, folder / "undisturbed.duckdb")
        for number in range(KILLS // A_ROUND):
            victim = ("connector", "runner")[number % 2]
            store = folder / f"killed-{number}.duckdb"
            kills += killed_run(spec, store, victim, A_ROUND, random.Random(number))
            equal += undisturbed_run(spec, store) == expected
            print(f"{kills} kills, {equal} of {number + 1} rounds equal ({victim})", flush=True)
    print(time.strftime("%Y-%m-%d"), f"{kills} kills, {equal} of {KILLS // A_ROUND} collections equal")
    sys.exit(equal != KILLS // A_ROUND)


if __name__ == "__main__":
    main()
