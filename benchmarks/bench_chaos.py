"""Kill a whole spec with SIGKILL, source-bigdata → a stateful derivation → materialize-postgres; resume; compare.

Each victim has its turn: the three connectors and the runner. A round kills A_ROUND times, then lets the run end, and
compares every row of every table, and every document in the store, with those of an undisturbed run. Kills count that
fell between the first and the last commit of the victim's task in its session; the others are told apart. Once a round,
the materialization is stopped with SIGSTOP, and goes on beside its successor. Arguments are another number of kills,
and how many minutes there are for them at most.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.chaos import Chaos, differences
from tests.chaos_kills import AMID_COMMITS, VICTIMS, Killer
from tests.postgres import Postgres, postgres

KILLS = 200
A_ROUND = 12
DOCUMENTS = 300_000
SECONDS_MAX = 2.0
"""A kill comes this long, at most, after the victim was seen to have committed in its session."""

_Fell = dict[str, Counter[str]]


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else KILLS
    deadline = time.monotonic() + 60 * float(sys.argv[2] if len(sys.argv) > 2 else 24 * 60)
    fell: _Fell = {victim: Counter() for victim in VICTIMS}
    equal = rounds = in_a_row = stopped = 0
    with tempfile.TemporaryDirectory() as name, postgres() as server:
        expected = _undisturbed(Path(name), server)
        while _amid(fell) < kills and time.monotonic() < deadline:
            killer, zombie, unlike = _round(Path(name), server, rounds, expected)
            for victim, found in killer.fell.items():
                fell[victim] += found
            stopped += zombie
            rounds, equal, in_a_row = rounds + 1, equal + (not unlike), in_a_row + killer.in_a_row
            print(f"{rounds} rounds, {equal} equal; {_told(fell)}", *unlike, sep="\n  ", flush=True)
    counted = f"{_amid(fell)} kills between commits, {in_a_row} times two in a row, {stopped} stopped and gone on"
    print(time.strftime("%Y-%m-%d"), f"{counted}, {equal} of {rounds} rounds equal; {_told(fell)}")
    sys.exit(equal != rounds)


def _undisturbed(folder: Path, server: Postgres) -> dict[str, list[str]]:
    undisturbed = Chaos(folder, server, "undisturbed").write(DOCUMENTS)
    done = undisturbed.run()
    assert done.returncode == 0, done.stderr
    return undisturbed.contents()


def _round(
    folder: Path, server: Postgres, number: int, expected: dict[str, list[str]]
) -> tuple[Killer, bool, list[str]]:
    """Return what was killed in a round, whether one was stopped, and what was not as expected in the end."""
    chance = random.Random(number)
    chaos = Chaos(folder, server, f"killed_{number}").write(DOCUMENTS)
    killer = Killer(chaos, chance, SECONDS_MAX)
    for _ in range(A_ROUND // len(VICTIMS)):
        for victim in chance.sample(VICTIMS, len(VICTIMS)):
            killer.kill(victim)
    stopped = killer.stop()
    done = chaos.run()
    unlike = differences(expected, chaos.contents())
    if done.returncode:
        unlike.append(done.stderr)
    server.execute(f"set client_min_messages = warning; drop schema {chaos.schema} cascade")
    chaos.store.unlink()
    return killer, stopped, unlike


def _amid(fell: _Fell) -> int:
    return sum(found[AMID_COMMITS] for found in fell.values())


def _told(fell: _Fell) -> str:
    return "; ".join(
        f"kills of {victim}: " + (", ".join(f"{count} {where}" for where, count in sorted(found.items())) or "none")
        for victim, found in fell.items()
    )


if __name__ == "__main__":
    main()
