"""Looking a manifest over: nothing that it holds keeps others waiting, or goes on when nobody waits for it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import http.client
import json
import threading
from typing import Any

import psutil
import pytest

from python.builder.server import looking
from tests.builder.server.served import Client, Memory

LARGE = {f"field{number}": 1 for number in range(20_000)}


@pytest.fixture
def in_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """However small a request is, a process looks at it."""
    monkeypatch.setattr(looking, "_SMALL_BYTES", {})
    monkeypatch.setattr(looking, "_SMALL_BYTES_DEFAULT", 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", ["/v1/builder/lint", "/v1/builder/check", "/v1/builder/import", "/v1/manifest/resolve"]
)
@pytest.mark.parametrize("broken", [False, True])
def test_a_process_says_what_is_said_at_once(
    client: Client, manifest: dict[str, Any], path: str, broken: bool, request: pytest.FixtureRequest
) -> None:
    told = {**manifest, "stray": "{{"} if broken else manifest
    ask = {"manifest": json.dumps(told) if path.endswith("import") else told}
    at_once = client.post(path, ask)
    request.getfixturevalue("in_processes")
    in_a_process = client.post(path, ask)

    assert (in_a_process.status, in_a_process.body) == (at_once.status, at_once.body)


@pytest.mark.slow
@pytest.mark.usefixtures("in_processes")
def test_looking_keeps_the_deadline_of_its_job(client: Client, engine: Memory, manifest: dict[str, Any]) -> None:
    ask = {"manifest": manifest, "config": {}, "stream": "items", "deadline": 0.05}
    answer = client.post("/v1/stream/read", ask)

    assert (answer.status, answer.body["details"]) == (400, {"kind": "deadline"})
    assert "looking over the manifest took longer than 0.05 seconds" in answer.body["message"]
    assert engine.asked == []


@pytest.mark.slow
def test_a_client_that_leaves_leaves_no_process(client: Client) -> None:
    before = set(psutil.Process().children())
    connection = http.client.HTTPConnection("127.0.0.1", client.port)
    body = json.dumps({"manifest": LARGE})
    connection.request("POST", "/v1/builder/lint", body, {"Content-Type": "application/json"})
    started: set[psutil.Process] = set()
    for _ in range(100_000):
        started = set(psutil.Process().children()) - before
        if started:
            break
    connection.close()

    assert started
    assert psutil.wait_procs(started, timeout=10)[1] == []


def test_small_manifests_are_looked_at_while_large_ones_wait(
    client: Client, manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    entered = threading.Semaphore(0)
    end: concurrent.futures.Future[bytes] = concurrent.futures.Future()

    async def stuck(*_: object) -> bytes:
        entered.release()
        return await asyncio.wrap_future(end)

    monkeypatch.setattr(looking, "done", stuck)
    asks = [threading.Thread(target=client.post, args=("/v1/builder/lint", {"manifest": LARGE})) for _ in range(8)]
    for each in asks:
        each.start()
    try:
        assert all(entered.acquire(timeout=30) for _ in asks)
        assert client.post("/v1/builder/lint", {"manifest": manifest}).body["findings"] == []
    finally:
        end.set_result(b'{"answer": {}}')
        for each in asks:
            each.join()


def test_a_text_that_is_too_large_is_refused_at_once(client: Client) -> None:
    answer = client.post("/v1/builder/lint", {"manifest": "#" * (2 * 1024 * 1024 + 1)})

    assert (answer.status, answer.body["message"]) == (
        400,
        "the manifest has 2,097,153 characters, want at most 2,097,152",
    )
