"""Kill a run with SIGKILL amid its capture, half of the times the connector, half the runner; resume; compare.

A session is open before its kill, which comes after a random number of its commits and some milliseconds. Each round
kills until enough kills fell between the first and the last commit of a session, then lets the run end, and
compares every collection with that of an undisturbed run. Kills that fell elsewhere are counted apart. An argument is
another number of kills.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.killing import AMID_COMMITS, collections_of, killed_run, undisturbed_run, write_spec

KILLS = 200
A_ROUND = 5
DOCUMENTS = 60_000


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    equal = rounds = 0
    fell: dict[str, Counter[str]] = {"connector": Counter(), "runner": Counter()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = write_spec(folder, DOCUMENTS)
        expected = undisturbed_run(spec, folder / "undisturbed.duckdb")
        for number in range(kills // A_ROUND):
            victim = ("connector", "runner")[number % 2]
            store = folder / f"killed-{number}.duckdb"
            fell[victim] += killed_run(spec, store, victim, (A_ROUND, expected.transactions), random.Random(number))
            equal += collections_of(store) == expected.collections
            rounds += 1
            print(f"{rounds} rounds, {equal} equal; {_told(fell)}", flush=True)
    amid = sum(counts[AMID_COMMITS] for counts in fell.values())
    print(time.strftime("%Y-%m-%d"), f"{amid} kills between commits, {equal} of {rounds} stores equal; {_told(fell)}")
    sys.exit(equal != rounds)


def _told(fell: dict[str, Counter[str]]) -> str:
    return "; ".join(
        f"kills of the {victim}: " + ", ".join(f"{count} {where}" for where, count in sorted(counts.items()))
        for victim, counts in fell.items()
    )


if __name__ == "__main__":
    main()
