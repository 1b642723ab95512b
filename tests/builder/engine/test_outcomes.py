from __future__ import annotations

import signal

import pytest

from python.builder.engine.outcomes import Collected, lost, outcome_of
from python.builder.engine.processes import Ended
from python.builder.jobs import Command, Event, Failure, Job, Kind, Limits, Outcome

READ = Job(command=Command.TEST_READ, manifest={}, stream="a", limits=Limits(cpu_seconds=5, seconds=9))


def test_events_become_the_slices_of_a_read() -> None:
    collected = Collected()
    for kind, data in [
        ("page", {"records": [1]}),
        ("slice", {"slice_descriptor": {"a": 1}}),
        ("page", {"records": []}),
    ]:
        collected.add(Event(kind, data))
    collected.add(Event("log", {"message": "m"}))

    result = collected.result(READ)

    assert result is not None
    assert [(each["slice_descriptor"], len(each["pages"])) for each in result["slices"]] == [({}, 1), ({"a": 1}, 1)]
    assert result["logs"] == [{"message": "m"}]


def test_other_commands_have_no_result_in_part() -> None:
    assert Collected().result(Job(command=Command.CHECK, manifest={})) is None


@pytest.mark.parametrize(
    ("ended", "late", "kind", "reached"),
    [
        (Ended(code=-signal.SIGKILL), True, Kind.DEADLINE, ("seconds",)),
        (Ended(code=-signal.SIGXCPU), False, Kind.CPU, ("cpu_seconds",)),
        (Ended(code=-signal.SIGKILL, cpu_seconds=7), False, Kind.CPU, ("cpu_seconds",)),
        (Ended(code=-signal.SIGKILL, cpu_seconds=1), False, Kind.MEMORY, ("memory_bytes",)),
        (Ended(code=-signal.SIGABRT), False, Kind.MEMORY, ("memory_bytes",)),
        (Ended(code=-signal.SIGSEGV), False, Kind.WORKER, ()),
        (Ended(code=None), False, Kind.WORKER, ()),
        (Ended(code=1), False, Kind.WORKER, ()),
    ],
)
def test_the_way_a_process_ended_tells_the_limit(
    ended: Ended, late: bool, kind: Kind, reached: tuple[str, ...]
) -> None:
    failure, limits = lost(READ, ended, late=late)

    assert (failure.kind, limits) == (kind, reached)
    assert all(name in failure.message for name in reached if name != "seconds")


def test_what_a_process_said_last_is_told_without_secrets() -> None:
    job = Job(command=Command.CHECK, manifest={}, config={"api_key": "k-1234567890"})

    failure, _ = lost(job, Ended(code=3, stderr="no module; key k-1234567890\n"), late=False)

    assert failure.message == "the job's process ended with exit code 3 and no answer: no module; key ****"


def test_a_workers_outcome_is_taken_as_it_came() -> None:
    told = {"result": None, "failure": {"kind": "cpu", "message": "m"}, "limits_reached": ["cpu_seconds"]}

    assert outcome_of(told, warm=True) == Outcome(
        failure=Failure(kind=Kind.CPU, message="m"), limits_reached=("cpu_seconds",), warm=True
    )
