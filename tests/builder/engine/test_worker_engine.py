"""The engine with real processes of airbyte-cdk: equal answers warm and plain, within limits, nothing left behind."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from python.builder.engine import Interpreter, Options
from python.builder.jobs import Command, Event, Job, Kind, Limits, Outcome

pytest.importorskip("airbyte_cdk")

from tests.builder.engine.working import (
    CUSTOM,
    Answer,
    Api,
    Bench,
    api,
    bench,
    children,
    custom_job,
    items,
    manifest,
    page,
    read_job,
    records,
    slow_api,
    stream,
    told,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def warm() -> Iterator[Bench]:
    with bench() as made:
        yield made


@pytest.fixture(scope="module")
def plain() -> Iterator[Bench]:
    with bench(options=Options(plain=True)) as made:
        yield made


@pytest.fixture(scope="module")
def served() -> Iterator[Api]:
    with api() as made:
        yield made


def test_a_read_yields_a_slice_and_its_pages_before_the_outcome(warm: Bench, served: Api) -> None:
    events, outcome = warm.collect(read_job(served.url))

    assert [event.kind for event in events] == ["slice", "page", "page", "page", "page"]
    assert outcome.result is not None
    assert [event.data for event in events[1:]] == outcome.result["slices"][0]["pages"]
    assert len(records(outcome)) == 40
    assert outcome.warm


@pytest.mark.parametrize(
    ("command", "stream_name"),
    [
        (Command.TEST_READ, "items"),
        (Command.FULL_RESOLVE, ""),
        (Command.DISCOVER, ""),
    ],
)
def test_a_plain_process_answers_as_a_warm_one(
    warm: Bench, plain: Bench, served: Api, command: Command, stream_name: str
) -> None:
    job = Job(command=command, manifest=manifest(stream(served.url)), stream=stream_name)

    assert told(plain.outcome(job)) == told(warm.outcome(job))


def test_a_manifest_that_the_cdk_refuses_is_a_failure_of_the_manifest(warm: Bench, plain: Bench) -> None:
    job = Job(
        command=Command.RESOLVE, manifest={"version": "0.29.0", "type": "DeclarativeSource", "streams": [{"a": 1}]}
    )

    outcome = warm.outcome(job)

    assert outcome.failure is not None
    assert outcome.failure.kind is Kind.MANIFEST
    assert outcome.failure.exception.endswith("ValidationError")
    assert len(outcome.failure.stack) < 40_000
    assert told(plain.outcome(job)) == told(outcome)


def test_an_unknown_stream_is_a_failure_that_names_those_there_are(warm: Bench, served: Api) -> None:
    outcome = warm.outcome(msgspec.structs.replace(read_job(served.url), stream="itemz"))

    assert outcome.result is None
    assert outcome.failure is not None
    assert outcome.failure.kind is Kind.STREAM
    assert outcome.failure.message == "the manifest has no stream 'itemz'; it has: items"


@pytest.mark.parametrize(
    ("limits", "count", "reached"),
    [
        (Limits(records=15), 15, ("records",)),
        (Limits(pages=2), 20, ("pages",)),
        (Limits(), 40, ()),
        (Limits(result_bytes=4000), 10, ("result_bytes",)),
        (Limits(result_bytes=2500), 0, ("result_bytes",)),
    ],
)
def test_a_read_ends_at_its_limit_and_tells_which(
    warm: Bench, served: Api, limits: Limits, count: int, reached: tuple[str, ...]
) -> None:
    outcome = warm.outcome(read_job(served.url, limits=limits))

    assert outcome.limits_reached == reached
    assert outcome.failure is None
    assert len(records(outcome)) == count
    assert outcome.result is not None
    assert outcome.result["test_read_limit_reached"] is bool(reached)


def test_a_page_larger_than_the_result_may_be_is_not_read_to_its_end(warm: Bench) -> None:
    def huge(query: Mapping[str, str]) -> Answer:
        return page(query, 40) if query.get("page") != "3" else Answer(b'{"data": [' + b" " * 20_000_000 + b"]}")

    with api(huge=huge) as served:
        job = read_job(served.url, "huge", limits=Limits(result_bytes=1_000_000))
        outcome = warm.outcome(job)

    assert outcome.limits_reached == ("result_bytes",)
    assert len(records(outcome)) == 20
    assert "1000000 bytes" in str((outcome.result or {})["logs"])


def test_a_read_of_slices_ends_at_the_limit_of_slices(warm: Bench, served: Api) -> None:
    router = {"type": "ListPartitionRouter", "cursor_field": "part", "values": ["a", "b", "c", "d"]}
    job = Job(
        command=Command.TEST_READ,
        manifest=manifest(stream(served.url, partition_router=router)),
        stream="items",
        limits=Limits(slices=2, records=1000),
    )

    outcome = warm.outcome(job)

    assert outcome.result is not None
    assert [each["slice_descriptor"] for each in outcome.result["slices"]] == [{"part": "a"}, {"part": "b"}]
    assert outcome.limits_reached == ("slices",)


@pytest.mark.parametrize("is_plain", [False, True])
def test_the_deadline_answers_with_what_was_read_so_far(warm: Bench, plain: Bench, is_plain: bool) -> None:
    with slow_api() as served:
        job = read_job(served.url, "slow", limits=Limits(seconds=15.0 if is_plain else 1.5))
        outcome = (plain if is_plain else warm).outcome(job)

    assert outcome.failure is not None
    assert outcome.failure.kind is Kind.DEADLINE
    assert outcome.limits_reached == ("seconds",)
    assert len(records(outcome)) == 10
    assert "GET" in outcome.failure.message
    assert outcome.result is not None
    assert outcome.result["slices"][0]["pages"][-1]["request"]["url"].endswith("/slow?page=2")


def test_a_job_that_is_left_is_killed(warm: Bench) -> None:
    arrived, released = threading.Event(), threading.Event()

    def silent(_: Mapping[str, str]) -> Answer:
        arrived.set()
        released.wait(30)
        return Answer(b"{}")

    async def left(job: Job) -> None:
        reading = asyncio.create_task(listed(warm, job))
        await asyncio.to_thread(arrived.wait, 30)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    with api(silent=silent) as served:
        warm.loop.run(left(read_job(served.url, "silent")))
        released.set()

    assert children(warm.about()["pid"]) == []


def test_a_job_that_nobody_reads_ends_at_its_deadline_all_the_same(warm: Bench) -> None:
    async def stalled(job: Job) -> list[Event | Outcome]:
        happening = warm.engine.run(job)
        first = await anext(happening)
        (child,) = children((await warm.engine.about())["pid"])
        watched = os.pidfd_open(child)
        try:
            assert await asyncio.to_thread(has_ended, watched), "the child lives as long as nobody reads"
        finally:
            os.close(watched)
        return [first, *[each async for each in happening]]

    with slow_api() as served:
        outcome = warm.loop.run(stalled(read_job(served.url, "slow", limits=Limits(seconds=1))))[-1]

    assert isinstance(outcome, Outcome)
    assert outcome.limits_reached == ("seconds",)


def has_ended(watched: int) -> bool:
    return bool(select.select([watched], [], [], 30)[0])


def test_a_worker_that_dies_fails_its_jobs_and_is_replaced_for_the_next(served: Api) -> None:
    arrived, released = threading.Event(), threading.Event()

    def silent(_: Mapping[str, str]) -> Answer:
        arrived.set()
        released.wait(30)
        return Answer(b"{}")

    async def bereft(made: Bench, job: Job, pid: int) -> list[Event | Outcome]:
        reading = asyncio.create_task(listed(made, job))
        await asyncio.to_thread(arrived.wait, 30)
        os.kill(pid, signal.SIGKILL)
        return await reading

    with bench() as made, api(silent=silent) as slow:
        first = made.about()["pid"]
        outcome = made.loop.run(bereft(made, read_job(slow.url, "silent"), first))[-1]
        released.set()

        assert isinstance(outcome, Outcome)
        assert outcome.failure is not None
        assert outcome.failure.kind is Kind.WORKER
        assert len(records(made.outcome(read_job(served.url)))) == 40
        assert made.about()["pid"] != first


async def listed(made: Bench, job: Job) -> list[Event | Outcome]:
    return [each async for each in made.engine.run(job)]


@pytest.mark.parametrize(
    ("text", "limits", "ended_by"),
    [
        ("{{ 'a' * 10000000000 }}", Limits(), (Kind.MEMORY, "memory_bytes")),
        ("{{ ('a' * 900000000) | length }}", Limits(memory_bytes=512 * 1024 * 1024), (Kind.MEMORY, "memory_bytes")),
        (
            "{% for a in 'a' * 9999 %}{% for b in 'a' * 9999 %}{% endfor %}{% endfor %}",
            Limits(cpu_seconds=1),
            (Kind.CPU, "cpu_seconds"),
        ),
    ],
)
def test_a_bomb_ends_its_own_process_and_tells_the_limit(
    warm: Bench, served: Api, text: str, limits: Limits, ended_by: tuple[Kind, str]
) -> None:
    bomb = stream(served.url)
    bomb["retriever"]["requester"]["path"] = f"/items{text}"

    outcome = warm.outcome(Job(command=Command.TEST_READ, manifest=manifest(bomb), stream="items", limits=limits))

    assert outcome.failure is not None
    assert (outcome.failure.kind, *outcome.limits_reached) == ended_by
    assert ended_by[1] in outcome.failure.message
    assert len(records(warm.outcome(read_job(served.url)))) == 40


def test_a_manifest_that_is_nested_too_deeply_is_refused(warm: Bench, served: Api) -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}

    outcome = warm.outcome(Job(command=Command.RESOLVE, manifest={**manifest(stream(served.url)), "definitions": deep}))

    assert outcome.failure is not None
    assert outcome.failure.kind is Kind.MANIFEST
    assert len(records(warm.outcome(read_job(served.url)))) == 40


def test_state_comes_back_as_it_was_told(warm: Bench, served: Api) -> None:
    cursor = {
        "type": "DatetimeBasedCursor",
        "cursor_field": "updated_at",
        "datetime_format": "%Y-%m-%d",
        "start_datetime": "2024-01-01",
        "start_time_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "since"},
    }
    incremental = manifest({**stream(served.url), "incremental_sync": cursor})
    job = Job(command=Command.TEST_READ, manifest=incremental, stream="items")
    first = warm.outcome(job)
    assert first.result is not None
    state = first.result["slices"][-1]["state"]
    served.asked.clear()

    second = warm.outcome(msgspec.structs.replace(job, state=state))

    assert second.failure is None
    assert [log for log in (second.result or {})["logs"] if log["level"] == "ERROR"] == []
    assert "since=2024-01-28" in served.asked[0]


@pytest.mark.parametrize("is_plain", [False, True])
def test_a_job_sees_nothing_of_the_servers_environment(
    monkeypatch: pytest.MonkeyPatch, served: Api, is_plain: bool
) -> None:
    monkeypatch.setenv("THE_SERVERS_OWN", "canary-1234")
    with bench(options=Options(allow_custom_code=True, plain=is_plain)) as made:
        outcome = made.outcome(custom_job(served.url))

        seen = records(outcome)[0]
        assert "canary-1234" not in str(outcome)
        assert seen["environment"]["NETRC"] == os.devnull
        assert not Path(seen["folder"]).exists()


def test_custom_components_are_refused_unless_allowed(warm: Bench, served: Api) -> None:
    job = custom_job(served.url)

    for each in (job, msgspec.structs.replace(job, components_py=None)):
        failure = warm.outcome(each).failure
        assert failure is not None
        assert failure.kind is Kind.CUSTOM_CODE
        assert "/streams/0/retriever/record_selector/extractor" in failure.message


def test_a_callers_config_cannot_bring_code_or_another_manifest(warm: Bench, served: Api) -> None:
    config = {
        "__injected_components_py": "raise SystemExit(3)",
        "__injected_declarative_manifest": {},
        "__command": "x",
    }

    assert len(records(warm.outcome(read_job(served.url, config=config)))) == 40


def test_a_folder_of_connectors_is_on_the_path_of_the_next_job(tmp_path: Path, served: Api) -> None:
    made = stream(served.url)
    made["retriever"]["record_selector"]["extractor"] = {
        "type": "CustomRecordExtractor",
        "class_name": "late_module.Environment",
    }
    job = Job(command=Command.TEST_READ, manifest=manifest(made), stream="items")
    with bench(Interpreter(connectors=str(tmp_path)), Options(allow_custom_code=True)) as engine:
        before = engine.outcome(job)
        (tmp_path / "source-late").mkdir()
        (tmp_path / "source-late" / "late_module.py").write_text(CUSTOM)

        assert "late_module" in str(before)
        assert records(engine.outcome(job))[0]["environment"]


ARGUMENTS = ["read", "--config", "--catalog", "--state"]


def test_an_entrypoint_of_ones_own_is_what_answers(tmp_path: Path, served: Api) -> None:
    script = tmp_path / "entrypoint.py"
    script.write_text(
        "import json, sys\n"
        "config = json.load(open(sys.argv[sys.argv.index('--config') + 1]))\n"
        "print('noise')\n"
        "data = {'manifest': {'arguments': [sys.argv[1], *sys.argv[2::2]], 'command': config['__command']}}\n"
        "print(json.dumps({'type': 'RECORD', 'record': {'stream': 's', 'emitted_at': 0, 'data': data}}))\n"
    )
    with bench(Interpreter(entrypoint=str(script))) as made:
        outcome = made.outcome(Job(command=Command.RESOLVE, manifest=manifest(stream(served.url))))

    assert outcome.result == {"manifest": {"arguments": ARGUMENTS, "command": "resolve_manifest"}}


def test_a_cdk_that_cannot_be_imported_answers_plainly_with_the_reason(tmp_path: Path, served: Api) -> None:
    broken = tmp_path / "source-broken" / "airbyte_cdk"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('half installed')")
    with bench(Interpreter(connectors=str(tmp_path))) as made:
        about = made.about()

        assert about["warm"] is False
        assert "half installed" in about["why_not_warm"]
        failure = made.outcome(read_job(served.url)).failure
        assert failure is not None
        assert failure.kind is Kind.WORKER
        assert "half installed" in failure.message


def test_an_interpreter_that_cannot_serve_says_so_in_health_and_to_each_job(served: Api) -> None:
    problem = "/no/such/python is no Python that has airbyte-cdk"
    with bench(Interpreter(python="/no/such/python")) as made:
        assert problem in made.about()["problem"]
        failure = made.outcome(read_job(served.url)).failure

    assert failure is not None
    assert failure.kind is Kind.WORKER
    assert problem in failure.message


def test_many_jobs_leave_no_process_file_or_descriptor(warm: Bench, served: Api) -> None:
    async def many(job: Job) -> list[list[Event | Outcome]]:
        return await asyncio.gather(*(listed(warm, job) for _ in range(10)))

    warm.outcome(read_job(served.url))
    home = Path(str(warm.engine._keeper.home()))  # no one else may know where it is
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- numbers
    for _ in range(3):
        warm.loop.run(many(read_job(served.url)))

    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 -- as above
    assert list(home.iterdir()) == []
    assert children(warm.about()["pid"]) == []


def test_closing_ends_the_worker_and_removes_its_folder(served: Api) -> None:
    with bench() as made:
        made.outcome(read_job(served.url))
        pid = made.about()["pid"]
        home = Path(made.engine._keeper.home())  # as above

    assert not home.exists()
    assert not Path(f"/proc/{pid}").exists()


def test_items_have_pages() -> None:
    assert b'"next_page": 2' in items({}).body


def test_a_refused_connection_shows_the_request(warm: Bench) -> None:
    outcome = warm.outcome(read_job("http://127.0.0.1:9"))

    assert outcome.failure is None
    assert outcome.result is not None
    assert outcome.result["slices"][0]["pages"][0]["request"]["url"] == "http://127.0.0.1:9/items"
    assert "http://127.0.0.1:9/items had no answer" in str(outcome.result["logs"])
