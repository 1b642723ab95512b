"""Every hostile job gets its named error from the engine, the next one works, and no secret appears."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from python.builder.engine import Options
from python.builder.jobs import Command, Event, Job, Limits, Outcome
from tests.builder.hostile.cases import CANARY, Case, cases, harmless

pytest.importorskip("airbyte_cdk")

from tests.builder.engine.working import Bench, bench, children, records
from tests.builder.hostile.attacker import attacker

pytestmark = pytest.mark.slow

NETWORK = {"allow": ["127.0.0.1/32"], "private": False}
JOBS = cases("jobs")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with attacker() as address:
        yield address


@pytest.fixture(scope="module")
def engine() -> Iterator[Bench]:
    with bench(options=Options(network=NETWORK)) as made:
        yield made


def leaked(value: Any) -> list[str]:
    """The forms in which the canary is in `value`."""
    text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
    forms = {
        "plain": CANARY,
        "capitals": CANARY.upper(),
        "base64": base64.b64encode(CANARY.encode()).decode().rstrip("="),
        "hex": CANARY.encode().hex(),
        "derived": "d3rived-t0ken-77",
    }
    return [name for name, form in forms.items() if form in text]


def check(wanted: dict[str, Any], outcome: Outcome, events: list[Event]) -> None:
    """Compare an outcome with what a case wants: kind and words of the failure, limits, a line of the logs, records."""
    failure = outcome.failure
    logs = [log["message"] for log in (outcome.result or {}).get("logs", [])]
    logs += [event.data["message"] for event in events if event.kind == "log"]
    assert set(wanted) <= {"kind", "says", "limits", "log", "records"}
    assert (failure and failure.kind.value) == wanted.get("kind"), (failure, logs)
    assert re.search(wanted.get("says", ""), failure.message if failure else ""), failure
    if "limits" in wanted:
        assert list(outcome.limits_reached) == wanted["limits"], failure
    if "log" in wanted:
        assert any(re.search(wanted["log"], message) for message in logs), (failure, logs)
    if "records" in wanted:
        assert len(records(outcome)) == wanted["records"]


@pytest.mark.parametrize("case", JOBS, ids=lambda case: case.name)
def test_a_hostile_job_gets_its_error_and_the_next_one_works(case: Case, engine: Bench, url: str) -> None:
    limits = Limits(**case.told.get("limits", {}))

    events, outcome = engine.collect(Job(command=Command.TEST_READ, limits=limits, **case.fields(url)))

    check(dict(case.wanted), outcome, events)
    assert leaked([outcome, events]) == []
    after = engine.outcome(
        Job(command=Command.TEST_READ, manifest=harmless(url), config={"api_key": CANARY}, stream="items")
    )
    assert (len(records(after)), after.failure, after.warm) == (3, None, True)


def test_the_corpus_is_as_large_as_was_promised() -> None:
    assert len(JOBS) + len(cases("requests")) >= 50


def test_nothing_is_left_of_hostile_jobs(engine: Bench, url: str) -> None:
    job = Job(command=Command.TEST_READ, stream="items", manifest=harmless(url), config={"api_key": CANARY})
    engine.outcome(job)
    pid = engine.about()["pid"]

    assert children(pid) == []
