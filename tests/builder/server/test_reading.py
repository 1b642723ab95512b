from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from python.builder.jobs import Event, Failure, Kind, Limits, Outcome
from python.builder.server import questions, service
from python.builder.server.settings import Settings
from tests.builder.server.served import PAGE, READ, Client, Memories, Memory, serving

SECRET = "canary-secret-value"
EVENTS = (Event("log", {"level": "INFO", "message": f"with {SECRET}"}), Event("page", PAGE))


def asked(manifest: Any, **members: Any) -> dict[str, Any]:
    return {"manifest": manifest, "config": {"api_key": SECRET}, "stream": "items", **members}


def test_a_job_says_what_was_asked(
    client: Client, engine: Memory, manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "items"}, "stream_state": {"at": 1}}}]
    limits = {"record_limit": 7, "page_limit": 3, "slice_limit": 2, "deadline": 1.5}
    monkeypatch.setattr(questions, "_now", lambda: 0.0)
    client.post("/v1/stream/read", asked({**manifest, "__should_migrate": True}, state=state, **limits))

    (job,) = engine.asked
    assert (job.stream, job.state, job.config, job.migrate) == ("items", state, {"api_key": SECRET}, True)
    assert job.limits == Limits(records=7, pages=3, slices=2, seconds=1.5)
    assert job.manifest == manifest


@pytest.mark.parametrize(("times", "left"), [((0, 3), 2), ((0, 3.02), 2), ((0, 4.99), 0.1), ((0, 6), 0.1)])
def test_looking_over_and_reading_have_one_deadline(
    served: tuple[Client, Memories],
    manifest: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    times: tuple[float, float],
    left: float,
) -> None:
    client, engine = served[0], served[1].named("default")
    monkeypatch.setattr(questions, "_now", iter(times).__next__)

    client.post("/v1/stream/read", asked(manifest, deadline=5))

    assert engine.asked[-1].limits.seconds == left


def test_a_manifest_may_be_a_text(client: Client, engine: Memory, manifest: dict[str, Any]) -> None:
    answer = client.post("/v1/stream/read", asked(json.dumps(manifest)))

    assert answer.status == 200
    assert engine.asked[0].manifest == manifest


def test_a_manifest_with_errors_never_comes_to_the_cdk(
    client: Client, engine: Memory, manifest: dict[str, Any]
) -> None:
    answer = client.post("/v1/stream/read", asked({**manifest, "stream": []}))

    assert answer.status == 400
    assert answer.body["details"]["findings"][0]["at"] == "/stream"
    assert engine.asked == []


def test_errors_are_only_logged_where_that_is_asked_for(
    client: Client, engine: Memory, manifest: dict[str, Any]
) -> None:
    answer = client.post("/v1/stream/read", asked({**manifest, "stream": []}, lint=False))

    assert answer.status == 200
    assert answer.body["logs"][0]["level"] == "ERROR"
    assert len(engine.asked) == 1


def test_warnings_come_before_the_reads_own_logs(client: Client, manifest: dict[str, Any]) -> None:
    del manifest["spec"]
    logs = client.post("/v1/stream/read", asked(manifest)).body["logs"]

    assert [each["level"] for each in logs] == ["WARN", "INFO"]
    assert "missing-spec" in logs[0]["message"]


def test_what_is_deprecated_is_told_once_by_the_cdk_if_it_does(
    client: Client, engine: Memory, manifest: dict[str, Any]
) -> None:
    requester = manifest["streams"][0]["retriever"]["requester"]
    requester |= {"url_base": requester.pop("url"), "path": "/items"}
    said = "Component type: `HttpRequester`. Field 'path' is deprecated. Use `url` field instead."
    engine.outcome = Outcome(result={**READ, "logs": [{"level": "WARN", "message": said}]})

    logs = client.post("/v1/stream/read", asked(manifest)).body["logs"]

    assert ["/url_base" in each["message"] for each in logs] == [True, False]
    assert logs[1]["message"] == said


def test_limits_that_were_reached_are_named(client: Client, engine: Memory, manifest: dict[str, Any]) -> None:
    engine.outcome = Outcome(result=READ, limits_reached=("records", "pages"))
    body = client.post("/v1/stream/read", asked(manifest)).body

    assert (body["test_read_limit_reached"], body["limits_reached"]) == (True, ["records", "pages"])


@pytest.mark.parametrize("result", [READ, None])
def test_a_deadline_answers_with_what_was_read_so_far(
    client: Client, engine: Memory, manifest: dict[str, Any], result: Any
) -> None:
    failure = Failure(kind=Kind.DEADLINE, message=f"after 1 second, asking for ?key={SECRET}")
    engine.outcome = Outcome(result=result, failure=failure, limits_reached=("seconds",))
    answer = client.post("/v1/stream/read", asked(manifest))

    assert answer.status == 200
    assert answer.body["slices"] == (READ["slices"] if result else [])
    assert answer.body["logs"][-1]["message"] == "after 1 second, asking for ?key=****"


def test_an_unknown_stream_is_404_with_the_names_there_are(
    client: Client, engine: Memory, manifest: dict[str, Any]
) -> None:
    engine.outcome = Outcome(failure=Failure(kind=Kind.STREAM, message="there is no thems: there are items, others"))
    answer = client.post("/v1/manifest/test_read", {**asked(manifest), "stream_name": "thems"})

    assert (answer.status, answer.body["detail"]) == (
        404,
        "Error reading stream: there is no thems: there are items, others",
    )


def test_secrets_are_masked_once_more(client: Client, engine: Memory, manifest: dict[str, Any]) -> None:
    update = {"refresh_token": "new-token-of-the-client"}
    leaky = {**READ, "slices": [{"pages": [{"records": [{"echo": SECRET}]}]}], "latest_config_update": update}
    engine.outcome = Outcome(result=leaky)
    answer = client.post("/v1/stream/read", asked(manifest))

    assert answer.body["slices"] == [{"pages": [{"records": [{"echo": "****"}]}]}]
    assert answer.body["latest_config_update"] == update


def test_failures_are_masked(client: Client, engine: Memory, manifest: dict[str, Any]) -> None:
    told = f"Context: {{'api_key': '{SECRET}'}}"
    engine.outcome = Outcome(failure=Failure(kind=Kind.SOURCE, message=told, internal=told, stack=told))

    for path, member in (("/v1/stream/read", "stream"), ("/v1/manifest/check", "x"), ("/v1/builder/read", "x")):
        answer = client.post(path, {**asked(manifest), member: "items"})

        assert "Context" in answer.raw.decode()
        assert SECRET not in answer.raw.decode()


def test_numbers_stay_what_they_are(client: Client, engine: Memory, manifest: dict[str, Any]) -> None:
    records = [{"big": 2**70, "exact": 1, "half": "\ud800", "deep": 1.0}]
    engine.outcome = Outcome(result={**READ, "slices": [{"pages": [{"records": records}]}]})
    answer = client.post("/v1/stream/read", asked(manifest))

    assert answer.body["slices"][0]["pages"][0]["records"] == records
    assert b'"deep": 1.0' in answer.raw


@pytest.mark.parametrize("media", ["text/event-stream", "application/x-ndjson"])
def test_events_come_as_they_happen_and_the_result_last(
    client: Client, engine: Memory, manifest: dict[str, Any], media: str
) -> None:
    engine.events = EVENTS
    answer = client.post("/v1/stream/read", asked(manifest), accept=f"application/json;q=0.1, {media}")

    assert answer.headers["content-type"].startswith(media)
    assert [each["event"] for each in answer.lines] == ["log", "page", "result"]
    assert answer.lines[0]["data"] == {"level": "INFO", "message": "with ****"}
    assert answer.lines[2]["data"] == {**READ, "limits_reached": []}
    if media == "text/event-stream":
        assert answer.raw.startswith(b"event: log\ndata: {")


def test_a_failure_ends_a_stream_of_events_in_the_familys_shape(
    client: Client, engine: Memory, manifest: dict[str, Any]
) -> None:
    engine.outcome = Outcome(failure=Failure(kind=Kind.SOURCE, message="no"))
    body = {**asked(manifest), "stream_name": "items"}
    (line,) = client.post("/v1/manifest/test_read", body, accept="text/event-stream").lines

    assert (line["event"], line["status"]) == ("error", 400)
    assert line["data"]["detail"] == "Error reading stream: no"


def test_what_is_wrong_before_a_stream_of_events_has_a_status(client: Client) -> None:
    assert client.post("/v1/stream/read", asked({}), accept="text/event-stream").status == 400


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_client_that_leaves_ends_the_job(
    client: Client, engine: Memory, manifest: dict[str, Any], accept: str
) -> None:
    engine.hangs = True
    engine.events = EVENTS
    body = json.dumps(asked(manifest)).encode()
    head = f"POST /v1/stream/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: {accept}\r\n"
    with socket.create_connection(("127.0.0.1", client.port)) as held:
        held.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert engine.started.wait(10)

    assert engine.cancelled.wait(10)


@pytest.mark.parametrize("path", ["/v1/manifest/check", "/v1/manifest/resolve", "/v1/builder/read"])
def test_a_client_that_leaves_ends_other_jobs_too(
    client: Client, engine: Memory, manifest: dict[str, Any], path: str
) -> None:
    engine.hangs = True
    body = json.dumps(asked(manifest)).encode()
    with socket.create_connection(("127.0.0.1", client.port)) as held:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        held.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert engine.started.wait(10)

    assert engine.cancelled.wait(10)


def test_several_streams_are_read_in_one_request(client: Client, engine: Memory, manifest: dict[str, Any]) -> None:
    answer = client.post("/v1/builder/read", asked(manifest, streams=["others", "items", "others"]))

    assert [(each["stream"], each["status"]) for each in answer.body["reads"]] == [("others", 200), ("items", 200)]
    assert answer.body["reads"][0]["read"]["slices"] == READ["slices"]


def test_all_streams_are_read_where_none_is_named(client: Client, engine: Memory, manifest: dict[str, Any]) -> None:
    answer = client.post("/v1/builder/read", asked(manifest))

    assert [each["stream"] for each in answer.body["reads"]] == ["items", "others"]


def test_one_stream_that_fails_leaves_the_others(client: Client, engine: Memory, manifest: dict[str, Any]) -> None:
    engine.outcome = Outcome(failure=Failure(kind=Kind.STREAM, message="no"))
    reads = client.post("/v1/builder/read", asked(manifest)).body["reads"]

    assert [(each["status"], each["error"]["message"]) for each in reads] == [(404, "no"), (404, "no")]


def test_events_of_several_streams_tell_whose_they_are(
    client: Client, engine: Memory, manifest: dict[str, Any]
) -> None:
    engine.events = EVENTS
    lines = client.post("/v1/builder/read", asked(manifest), accept="application/x-ndjson").lines

    assert sorted((each["stream"], each["event"]) for each in lines) == [
        (stream, event) for stream in ("items", "others") for event in ("log", "page", "result")
    ]


def test_custom_code_is_refused_unless_the_server_allows_it(
    client: Client, engine: Memory, manifest: dict[str, Any]
) -> None:
    answer = client.post("/v1/stream/read", asked(manifest, custom_components_code="import os"))

    assert answer.status == 400
    assert "--allow-custom-code" in answer.body["message"]
    assert engine.asked == []


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Memory, Path]]:
    folder = tmp_path_factory.mktemp("recordings")
    (folder / "there").mkdir()
    engines = Memories()
    cdks = {"old": "/nowhere"}
    settings = Settings(allow_custom_code=True, recordings=str(folder), cdks=cdks, projects={"p1": "old"}, jobs_max=1)
    with serving(engines, settings) as client:
        yield client, engines.named("default"), folder


def test_allowed_code_comes_to_the_engine(lenient: tuple[Client, Memory, Path], manifest: dict[str, Any]) -> None:
    client, engine, _ = lenient
    client.post("/v1/stream/read", asked(manifest, custom_components_code="import os"))

    assert engine.asked[-1].components_py == "import os"


def test_recordings_lie_in_their_folder(lenient: tuple[Client, Memory, Path], manifest: dict[str, Any]) -> None:
    client, engine, folder = lenient
    client.post("/v1/stream/read", asked(manifest, record="new"))
    client.post("/v1/stream/read", asked(manifest, replay="there"))

    assert [engine.asked[-2].record, engine.asked[-1].replay] == [str(folder / "new"), str(folder / "there")]


@pytest.mark.parametrize("name", ["../up", "/etc", "a/b", "", ".hidden", "..", "x" * 101, "a\n"])
def test_a_recording_is_a_name(lenient: tuple[Client, Memory, Path], manifest: dict[str, Any], name: str) -> None:
    assert lenient[0].post("/v1/stream/read", asked(manifest, record=name)).status == 400


def test_a_recording_that_there_is_not_is_404(lenient: tuple[Client, Memory, Path], manifest: dict[str, Any]) -> None:
    assert lenient[0].post("/v1/stream/read", asked(manifest, replay="never")).status == 404


def test_several_streams_do_not_share_a_recording(
    lenient: tuple[Client, Memory, Path], manifest: dict[str, Any]
) -> None:
    assert lenient[0].post("/v1/builder/read", asked(manifest, record="both")).status == 400


def test_recordings_need_a_folder_on_the_server(client: Client, manifest: dict[str, Any]) -> None:
    assert "--recordings" in client.post("/v1/stream/read", asked(manifest, record="x")).body["message"]


def test_more_jobs_than_allowed_wait_for_their_turn(
    lenient: tuple[Client, Memory, Path], manifest: dict[str, Any]
) -> None:
    reads = lenient[0].post("/v1/builder/read", asked(manifest)).body["reads"]

    assert [each["status"] for each in reads] == [200, 200]


@pytest.mark.parametrize(
    ("headers", "members"),
    [({"x_headwater_cdk": "old"}, {}), ({}, {"project_id": "p1"}), ({}, {"context": {"project_id": "p1"}})],
    ids=["header", "project", "context"],
)
def test_a_request_means_the_cdk_that_its_header_or_project_names(
    lenient: tuple[Client, Memory, Path], manifest: dict[str, Any], headers: dict[str, str], members: dict[str, Any]
) -> None:
    answer = lenient[0].post("/v1/stream/read", asked(manifest, **members), **headers)

    assert answer.status == 500
    assert "/nowhere" in answer.body["message"]


def test_an_unknown_cdk_is_told_with_those_that_there_are(
    lenient: tuple[Client, Memory, Path], manifest: dict[str, Any]
) -> None:
    answer = lenient[0].post("/v1/stream/read", asked(manifest), x_headwater_cdk="newest")

    assert (answer.status, "default, old" in answer.body["message"]) == (400, True)


def test_a_stream_of_events_shows_that_it_lives(
    client: Client, engine: Memory, manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_WAITING_SECONDS", 0.01)
    engine.hangs = True
    body = json.dumps(asked(manifest)).encode()
    head = "POST /v1/stream/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as held, held.makefile("rb") as lines:
        held.sendall(f"{head}\r\nAccept: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

        assert any(line == b"event: waiting\n" for line in lines)


def test_an_engine_that_keeps_no_deadline_is_not_waited_for(
    client: Client, engine: Memory, manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_GRACE_SECONDS", 0.01)
    engine.hangs = True
    answer = client.post("/v1/stream/read", asked(manifest, deadline=0.01))

    assert (answer.status, answer.body["limits_reached"]) == (200, ["seconds"])
    assert engine.cancelled.is_set()
