"""Every major version of airbyte-cdk answers warm, and answers the same plainly."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from python.builder.engine import Interpreter, Options, custom_code
from python.builder.jobs import Command, Job, Kind, Limits
from tests.builder.engine.working import (
    Bench,
    api,
    bench,
    custom_job,
    manifest,
    read_job,
    records,
    slow_api,
    stream,
    told,
)
from tests.shim_airbyte_cdk.versions.environments import VERSIONS, WITHOUT_CORE, python_of

pytestmark = pytest.mark.versions


@pytest.fixture(scope="module", params=[*WITHOUT_CORE, *VERSIONS])
def warm(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with bench(Interpreter(python=str(python_of(request.param)), cdk_version=request.param)) as made:
        yield made


def test_a_read_is_warm_and_has_its_pages_records_and_schema(warm: Bench) -> None:
    with api() as served:
        outcome = warm.outcome(read_job(served.url))

    assert outcome.warm
    assert records(outcome)[39]["id"] == 39
    assert outcome.result is not None
    pages = [page for each in outcome.result["slices"] for page in each["pages"]]  # 1.x to 5.x: one in each slice
    assert [page["request"]["http_method"] for page in pages] == ["GET"] * 4
    assert outcome.result["inferred_schema"]["properties"]["id"]["type"] in ("integer", ["integer", "null"])


def test_a_plain_process_answers_as_a_warm_one(warm: Bench) -> None:
    with api() as served, bench(warm.interpreter, Options(plain=True)) as plain:
        for job in (
            read_job(served.url, limits=Limits(records=15)),
            Job(command=Command.RESOLVE, manifest=manifest(stream(served.url))),
            Job(command=Command.RESOLVE, manifest={"type": "DeclarativeSource", "version": "0.29.0"}),
            Job(command=Command.CHECK, manifest=manifest(stream(served.url))),
            Job(command=Command.DISCOVER, manifest=manifest(stream(served.url))),
        ):
            assert told(plain.outcome(job)) == told(warm.outcome(job))


def test_a_read_ends_at_the_limit_of_records(warm: Bench) -> None:
    with api() as served:
        outcome = warm.outcome(read_job(served.url, limits=Limits(records=15)))

    assert len(records(outcome)) == 15
    assert outcome.limits_reached == ("records",)


def test_a_read_ends_at_the_limit_of_pages(warm: Bench) -> None:
    with api() as served:
        outcome = warm.outcome(read_job(served.url, limits=Limits(pages=2)))

    reads_on = warm.about()["cdk_version"] in WITHOUT_CORE
    assert len(records(outcome)) == (40 if reads_on else 20)
    assert outcome.limits_reached == ("pages",)
    assert outcome.result is not None
    assert outcome.result["test_read_limit_reached"] is True


def test_no_class_is_made_by_its_name_even_past_the_servers_own_look(
    warm: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custom_code, "refusal", lambda _job: None)
    with api() as served:
        failure = warm.outcome(msgspec.structs.replace(custom_job(served.url), components_py=None)).failure

    assert failure is not None
    assert failure.kind is Kind.CUSTOM_CODE


def test_a_deadline_answers_with_what_was_read(warm: Bench) -> None:
    with slow_api() as served:
        outcome = warm.outcome(read_job(served.url, "slow", limits=Limits(seconds=2.5)))

    assert outcome.failure is not None
    assert outcome.failure.kind is Kind.DEADLINE
    assert len(records(outcome)) == 10
