"""What a worker's frames mean, and what the end of a process means that sent no outcome."""

from __future__ import annotations

import signal
from collections.abc import Mapping

from python.builder.engine.processes import Ended
from python.builder.jobs import Command, Event, Failure, Job, Json, Kind, Outcome
from python.builder.worker import masking

__all__ = ["Collected", "lost", "outcome_of"]


class Collected:
    """The events of a job so far, for the answer of one that is killed."""

    def __init__(self) -> None:
        """Begin with none."""
        self._slices: list[dict[str, Json]] = []
        self._logs: list[Json] = []

    def add(self, event: Event) -> None:
        """Take in one event."""
        if event.kind == "slice":
            self._slices.append({"pages": [], "state": [], "auxiliary_requests": [], **event.data})
        elif event.kind == "page":
            if not self._slices:
                self._slices.append({"pages": [], "state": [], "auxiliary_requests": [], "slice_descriptor": {}})
            self._slices[-1]["pages"].append(event.data)
        else:
            self._logs.append(event.data)

    def result(self, job: Job) -> Mapping[str, Json] | None:
        """Return what was read, in the shape of a test read; None for other commands."""
        if job.command is not Command.TEST_READ:
            return None
        return {
            "logs": self._logs,
            "slices": self._slices,
            "test_read_limit_reached": True,
            "auxiliary_requests": [],
        }


def outcome_of(told: Mapping[str, Json], *, warm: bool) -> Outcome:
    """Return the outcome that a worker sent."""
    failure = told["failure"]
    return Outcome(
        result=told["result"],
        failure=None if failure is None else Failure(**{**failure, "kind": Kind(failure["kind"])}),
        limits_reached=tuple(told["limits_reached"]),
        warm=warm,
    )


def lost(job: Job, ended: Ended, *, late: bool) -> tuple[Failure, tuple[str, ...]]:
    """Return why a process sent no outcome, and the limits that ended it. `late` tells that we killed it for that."""
    limits = job.limits
    if late:
        message = f"the deadline of {limits.seconds:g} seconds ended the job, which did not stop by itself"
        return Failure(kind=Kind.DEADLINE, message=message), ("seconds",)
    if ended.code == -signal.SIGXCPU or (ended.code == -signal.SIGKILL and ended.cpu_seconds >= limits.cpu_seconds):
        message = f"the job needs more than its {limits.cpu_seconds:g} seconds of CPU (limit cpu_seconds)"
        return Failure(kind=Kind.CPU, message=message), ("cpu_seconds",)
    if ended.code in (-signal.SIGKILL, -signal.SIGABRT):
        message = (
            f"the system ended the job ({_name(ended.code)}), as it does when memory runs out: "
            f"it may use {limits.memory_bytes} bytes (limit memory_bytes)"
        )
        return Failure(kind=Kind.MEMORY, message=message), ("memory_bytes",)
    if ended.code is None:
        return Failure(kind=Kind.WORKER, message="the worker died while the job ran; the next job starts another"), ()
    said = masking.Masker(job.manifest, job.config).text(ended.stderr.strip())
    message = f"the job's process ended with {_name(ended.code)} and no answer" + (f": {said}" if said else "")
    return Failure(kind=Kind.WORKER, message=message), ()


def _name(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
