"""Every hostile request gets its named error over HTTP, the next one works, and no secret appears."""

from __future__ import annotations

import base64
import io
import json
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping

import pytest

from tests.builder.hostile.cases import CANARY, Case, cases, harmless

pytest.importorskip("airbyte_cdk")

from python.builder.server.settings import Settings
from python.builder.server.starting import engines
from tests.builder.hostile.attacker import attacker, zip_bomb
from tests.builder.server.served import Answer, Client, serving

pytestmark = pytest.mark.slow

READ = "/v1/stream/read"
REQUESTS = cases("requests")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with attacker() as address:
        yield address


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    settings = Settings(recordings=str(tmp_path_factory.mktemp("recordings")), deadline_seconds=20)
    with serving(engines(settings), settings) as made:
        yield made


@pytest.fixture(scope="module")
def archives() -> Mapping[str, str]:
    made = {
        "BOMB": zip_bomb("manifest.yaml"),
        "CLIMB": zipped({"../../../tmp/manifest.yaml": "a: 1"}),
        "LINK": zipped({"manifest.yaml": "/etc/passwd"}, mode=stat.S_IFLNK | 0o777),
        "MANY": zipped({f"f{number}.json": "{}" for number in range(50_000)}),
    }
    return {name: base64.b64encode(data).decode() for name, data in made.items()}


def zipped(files: Mapping[str, str], mode: int = stat.S_IFREG | 0o600) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in files.items():
            told = zipfile.ZipInfo(name)
            told.external_attr = mode << 16
            archive.writestr(told, text)
    return held.getvalue()


def raw_body(case: Case, url: str, archives: Mapping[str, str]) -> bytes:
    fields = case.fields(url)
    if "raw" in case.told:
        parts = [part if isinstance(part, str) else part["repeat"] * part["times"] for part in case.told["raw"]]
        text = "".join(parts)
        return text.replace("MANIFEST", json.dumps(fields["manifest"])).replace("CANARY", CANARY).encode()
    path = case.told.get("path", READ)
    usual = {name: fields[name] for name in ("manifest", "stream", "config")} if path == READ else {}
    body = {**usual, **case.told.get("body", {})}
    return json.dumps(
        {name: archives.get(value, value) if name == "zip" else value for name, value in body.items()}
    ).encode()


def is_fine(client: Client, url: str) -> bool:
    """Whether the server is healthy and reads a harmless stream."""
    body = {"manifest": harmless(url), "stream": "items", "config": {"api_key": CANARY}}
    answer = client.post(READ, body)
    health = client.get("/v1/health")
    pages = answer.body["slices"][0]["pages"] if answer.status == 200 else []
    return health.body["available"] and [len(page["records"]) for page in pages] == [3]


@pytest.mark.parametrize("case", REQUESTS, ids=lambda case: case.name)
def test_a_hostile_request_gets_its_error_and_the_next_one_works(
    case: Case, client: Client, url: str, archives: Mapping[str, str]
) -> None:
    headers = {"Content-Type": "application/json", **case.told.get("headers", {})}

    answer = client.send("POST", case.told.get("path", READ), raw_body(case, url, archives), **headers)

    assert answer.status == case.wanted["status"], answer.raw[:2000]
    assert re.search(case.wanted.get("says", ""), answer.raw.decode()), answer.raw[:2000]
    assert CANARY.encode() not in answer.raw
    assert is_a_sentence(answer)
    assert is_fine(client, url)


def is_a_sentence(answer: Answer) -> bool:
    """Whether an error is JSON for people: no page of HTML, no traceback, no megabytes."""
    if answer.status == 200:
        return True
    told = answer.body.get("message") or json.dumps(answer.body.get("detail"))
    return bool(told) and "Traceback" not in told and len(answer.raw) < 20_000


JOBS = [case for case in cases("jobs") if "limits" not in case.told and case.file not in ("reach", "custom-code")]
EACH = [pytest.param(case, marks=[] if index % 6 == 0 else pytest.mark.long) for index, case in enumerate(JOBS)]
"""The engine is asked them all; over HTTP some show that its answers pass."""


@pytest.mark.parametrize("case", EACH, ids=lambda case: case.name)
def test_a_hostile_job_over_http_is_answered_without_its_secret(case: Case, client: Client, url: str) -> None:
    fields = case.fields(url)
    body = {name: fields[name] for name in ("manifest", "stream", "config")}

    answer = client.post("/v1/manifest/test_read", {**body, "stream_name": body["stream"]})

    assert answer.status in (200, 400, 404, 422)
    assert CANARY.encode() not in answer.raw
    assert is_a_sentence(answer)
    assert is_fine(client, url)
