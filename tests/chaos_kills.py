"""Killing the processes of a whole spec's run, and telling where the kills fell."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.chaos import CAPTURE, SECONDS_MAX, TOTALS, WAREHOUSE, Chaos
from tests.conversing import ROOT

PROGRAMS = {CAPTURE: "source-bigdata", TOTALS: "order_totals.py", WAREHOUSE: "materialize-postgres"}
BEGUN = {CAPTURE: "capturing", TOTALS: "deriving", WAREHOUSE: "materializing"}
RUNNER = "runner"
VICTIMS = (*PROGRAMS, RUNNER)

AMID_COMMITS = "between first and last commit"
BEFORE_COMMIT = "before the first commit"
AFTER_COMMITS = "after the last commit"
MISSED = "nothing there to kill"
_ALL_CAPTURED = "(2 of 2 streams done)"
_LOOK_SECONDS = 0.02
_STARTING, _EARLY = 0.1, 0.25
"""Kills below the first share are aimed from the start of the run on, below the second from where the victim's session
has begun, and the others from the first commit of that session on."""
_START_SECONDS_MAX = 8.0


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
            assert self._news.wait_for(lambda: said() or self._ended, SECONDS_MAX), self.said
            return said()

    def send(self, victim: str, number: signal.Signals) -> bool:
        """Send a signal to a connector or the runner; return whether there was one that ran."""
        sent = False
        for each in self.processes(victim):
            with contextlib.suppress(psutil.NoSuchProcess):
                if each.status() != psutil.STATUS_ZOMBIE:
                    each.send_signal(number)
                    sent = True
        return sent

    def processes(self, victim: str) -> list[psutil.Process]:
        """Return the processes of a connector, or of the runner."""
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):
            runner = psutil.Process(self.process.pid)
            if victim == RUNNER:
                return [runner]
            for child in runner.children():
                with contextlib.suppress(psutil.NoSuchProcess):
                    if any(PROGRAMS[victim] in word for word in child.cmdline()):
                        found.append(child)
        return found

    def end(self) -> str:
        """Return all that was said, once the run has ended."""
        self._listener.join(SECONDS_MAX)
        self.process.wait(SECONDS_MAX)
        return "".join(self.said)

    def until_committed(self, victim: str) -> bool:
        """Wait until the run tells that the victim has committed; return whether it did, before the run ended."""
        told = Path(f"{self.chaos.store}.status.json")
        deadline = time.monotonic() + SECONDS_MAX
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
        self._wait(session, victim)
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

    def stop(self) -> bool:
        """Stop the materialization at a random moment, kill the runner, and let the old process go on beside the next.

        That has committed by then: what the old process has still to commit has to fail. Return whether it was there.
        """
        first = Session(self._chaos)
        if first.until_committed(WAREHOUSE):
            time.sleep(self._chance.uniform(0.0, self._seconds_max))  # a random moment, as above
        zombies = first.processes(WAREHOUSE)
        first.send(WAREHOUSE, signal.SIGSTOP)
        first.send(RUNNER, signal.SIGKILL)
        first.end()
        next_ = Session(self._chaos)
        next_.until_committed(WAREHOUSE)
        for zombie in zombies:
            with contextlib.suppress(psutil.NoSuchProcess):
                zombie.resume()
        for zombie in zombies:
            zombie.wait(SECONDS_MAX)
        next_.send(RUNNER, signal.SIGTERM)
        said = next_.end()
        doubts = self._chaos.doubts()
        assert doubts == [], (doubts, said)
        return bool(zombies)

    def _wait(self, session: Session, victim: str) -> None:
        """Return at the random moment of a kill."""
        aim, seconds_max = self._chance.random(), self._seconds_max
        begun = [f"{task}: {begin}" for task, begin in BEGUN.items() if victim in (task, RUNNER)]
        if aim < _STARTING:
            seconds_max = _START_SECONDS_MAX
        elif not session.until_said(*begun) or (aim > _EARLY and not session.until_committed(victim)):
            return
        time.sleep(self._chance.uniform(0.0, seconds_max))  # a random moment: nothing is waited for
