"""The server with engines that run a CDK: what the contract's table cannot say."""

from __future__ import annotations

import http.client
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from python.builder.server.routes import ROUTES
from python.builder.server.settings import Settings
from python.builder.server.starting import engines
from tests.builder.contract.api import Api, api
from tests.builder.contract.test_contract import CONFIG, base
from tests.builder.engine.working import children
from tests.builder.server.served import Answer, Client, serving
from tests.shim_airbyte_cdk.versions.environments import python_of

slow = pytest.mark.slow


CODE = """
from airbyte_cdk.sources.declarative.extractors.dpath_extractor import DpathExtractor


class Doubled(DpathExtractor):
    def extract_records(self, response):
        for record in super().extract_records(response):
            yield {**record, "id": record["id"] * 2}
"""
DOUBLED = {
    "type": "CustomRecordExtractor",
    "class_name": "source_declarative_manifest.components.Doubled",
    "field_path": ["data"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def joined(folder: Path) -> Iterator[Client]:
    settings = Settings(recordings=str(folder), allow_custom_code=True)
    with serving(engines(settings), settings) as client:
        yield client


@pytest.fixture(scope="module")
def source() -> Iterator[Api]:
    with api() as made:
        yield made


def ask(source: Api, **stream: Any) -> dict[str, Any]:
    return {"manifest": base(stream, source.url), "config": CONFIG, "stream": "items", "stream_name": "items"}


def read_ids(body: Any) -> list[Any]:
    return [record["id"] for part in body["slices"] for page in part["pages"] for record in page["records"]]


@slow
def test_pages_are_told_as_they_come(joined: Client, source: Api) -> None:
    pages = {"type": "PageIncrement", "start_from_page": 1, "page_size": 2}
    option = {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"}
    paginator = {"type": "DefaultPaginator", "page_token_option": option, "pagination_strategy": pages}
    lines = joined.post(
        "/v1/stream/read", ask(source, path="pages", paginator=paginator), accept="text/event-stream"
    ).lines

    assert [each["event"] for each in lines if each["event"] != "log"] == ["slice", "page", "page", "page", "result"]
    assert [record["id"] for each in lines if each["event"] == "page" for record in each["data"]["records"]] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert read_ids(lines[-1]["data"]) == [1, 2, 3, 4, 5]


@slow
def test_a_client_that_leaves_leaves_no_process(joined: Client, source: Api) -> None:
    joined.post("/v1/stream/read", ask(source))
    connection = http.client.HTTPConnection("127.0.0.1", joined.port)
    body = json.dumps(ask(source, path="silent"))
    connection.request("POST", "/v1/stream/read", body, {"Content-Type": "application/json"})
    assert source.waiting.wait(30)
    jobs = {child for worker in psutil.Process().children() for child in children(worker.pid)}
    processes = [psutil.Process(pid) for pid in jobs]
    connection.close()

    gone, alive = psutil.wait_procs(processes, timeout=10)
    assert gone
    assert alive == []


@slow
def test_a_recorded_read_is_answered_without_the_api(joined: Client, folder: Path) -> None:
    with api() as source:
        body = ask(source, path="guarded", request_headers={"Authorization": "Bearer {{ config['api_key'] }}"})
        first = joined.post("/v1/stream/read", {**body, "record": "taken"})
    second = joined.post("/v1/stream/read", {**body, "replay": "taken"})

    assert read_ids(first.body) == read_ids(second.body) == [1]
    for path in (folder / "taken").rglob("*"):
        assert path.is_dir() or b"canary" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


@slow
def test_allowed_code_runs_and_is_gone_with_its_read(joined: Client, source: Api) -> None:
    body = ask(source, extractor=DOUBLED)
    with_code = joined.post("/v1/stream/read", {**body, "custom_components_code": CODE})
    without = joined.post("/v1/stream/read", body)

    assert read_ids(with_code.body) == [2, 4]
    assert without.status == 400 or read_ids(without.body) == []


@slow
def test_what_a_migration_changes_is_listed_by_its_place(joined: Client, source: Api) -> None:
    changes = joined.post("/v1/builder/migrate", ask(source)).body["changes"]

    assert "/streams/0/retriever/requester/url" in [each["at"] for each in changes]


TEXTS = ("import", "export")  # routes that want the manifest as YAML text
LEAKY: tuple[dict[str, Any], ...] = (
    {"path": "guarded", "authenticator": {"type": "BearerAuthenticator", "api_token": "x{{ config['api_key'] }}"}},
    {"path": "status/500", "request_parameters": {"key": "{{ config['api_key'] }}"}},
    {"path": "{{ config.other_secret.no.such.thing }}"},
    {"base": "http://127.0.0.1:9/{{ config['api_key'] }}"},
)
CANARIES: dict[str, Any] = {
    "api_key": "canary-key-value",
    "other_secret": "canary-other-value",
    "nested": {"password": "canary-3"},
}


@pytest.mark.parametrize("path", [route.path for route in ROUTES if route.method == "POST"])
@slow
def test_no_secret_leaves_by_any_route(
    joined: Client, source: Api, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for stream in LEAKY[:1] if path.endswith("export") else LEAKY:  # an export takes seconds
        body = {**ask(source, **stream), "config": CANARIES, "lint": False, "name": "source-x"}
        if path.endswith(TEXTS):
            body = {**body, "manifest": json.dumps(body["manifest"]), "form": "airbyte-manifest-only"}
        answer = joined.post(path, body)
        assert answer.status == 501 if "contribute" in path or "assist" in path else answer.status != 422
        assert "canary" not in unpacked(answer)
    assert "canary" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("path", ["/v1/stream/read", "/v1/manifest/test_read", "/v1/builder/read"])
@pytest.mark.parametrize("media", ["text/event-stream", "application/x-ndjson"])
@slow
def test_no_secret_leaves_by_an_event(joined: Client, source: Api, path: str, media: str) -> None:
    keys: dict[str, Any] = {"request_parameters": {"key": "{{ config['api_key'] }}"}}
    for stream in ({"path": "guarded", **keys}, {"path": "status/500", **keys}):
        answer = joined.post(path, {**ask(source, **stream), "config": CANARIES, "lint": False}, accept=media)
        assert answer.lines[-1]["event"] in ("result", "error")
        assert "canary" not in unpacked(answer)


def unpacked(answer: Answer) -> str:
    """All that an answer says, of each file in it where it is a zip."""
    raw = answer.raw
    if answer.headers["content-type"] == "application/zip":
        archive = zipfile.ZipFile(io.BytesIO(raw))
        raw = b"".join(archive.read(name) for name in archive.namelist())
    return raw.decode(errors="replace")


@pytest.mark.versions
def test_several_cdks_stand_side_by_side(source: Api) -> None:
    settings = Settings(cdks={"old": str(python_of("4.6.2"))}, projects={"p": "old"})
    with serving(engines(settings), settings) as client:
        reads = [
            client.post("/v1/stream/read", ask(source), x_headwater_cdk="old"),
            client.post("/v1/stream/read", {**ask(source), "project_id": "p"}),
            client.post("/v1/stream/read", ask(source)),
        ]
        told = client.get("/v1/builder/cdks").body["cdks"]

    assert [read_ids(each.body) for each in reads] == [[1, 2]] * 3
    assert told["old"]["cdk_version"] == "4.6.2"
    assert told["default"]["cdk_version"] != "4.6.2"


HIDDEN = {"type": "string", "airbyte_secret": True}
SCHEMA = {"type": "object", "properties": {"code": HIDDEN}}
REFERRING = {
    "spec": ({"$ref": "#/definitions/x"}, {"type": "Spec", "connection_specification": SCHEMA}),
    "schema": ({"type": "Spec", "connection_specification": {"$ref": "#/definitions/x"}}, SCHEMA),
    "property": (
        {"type": "Spec", "connection_specification": {"type": "object", "properties": {"code": "#/definitions/x"}}},
        HIDDEN,
    ),
}


@pytest.mark.parametrize("path", ["/v1/stream/read", "/v1/manifest/test_read"])
@pytest.mark.parametrize(("spec", "referred"), REFERRING.values(), ids=REFERRING)
@slow
def test_no_secret_leaves_that_a_reference_marks(
    joined: Client, source: Api, path: str, spec: Any, referred: Any
) -> None:
    body = ask(source, path="echo", request_parameters={"q": "{{ config['code'] }}"})
    body["manifest"] = {**body["manifest"], "spec": spec, "definitions": {"x": referred}}

    answer = joined.post(path, {**body, "config": {"code": "a canary of one"}})

    assert answer.status == 200
    assert len(answer.body["slices"][0]["pages"][0]["records"]) == 1
    assert "canary" not in answer.raw.decode()
