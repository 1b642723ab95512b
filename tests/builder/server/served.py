"""A server on loopback for tests, with an engine in memory, and a client of the standard library."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, NamedTuple

import uvicorn

from python.builder.jobs import Command, Engine, Event, Job, Outcome
from python.builder.server.app import application
from python.builder.server.engines import Engines
from python.builder.server.serving import listening
from python.builder.server.settings import Settings

PAGE: dict[str, Any] = {
    "records": [{"id": 1}],
    "request": {"url": "https://api.example.com/items", "http_method": "GET", "headers": {}, "body": None},
    "response": {"status": 200, "headers": {}, "body": '[{"id": 1}]'},
}
READ: dict[str, Any] = {
    "logs": [{"level": "INFO", "message": "hello", "internal_message": None, "stacktrace": None}],
    "slices": [{"pages": [PAGE], "slice_descriptor": None, "state": [], "auxiliary_requests": None}],
    "test_read_limit_reached": False,
    "auxiliary_requests": [],
    "inferred_datetime_formats": {},
}
RESULTS: Mapping[Command, Callable[[Job], Any]] = {
    Command.TEST_READ: lambda _: READ,
    Command.RESOLVE: lambda job: {"manifest": {**job.manifest, **({"version": "7.0.0"} if job.migrate else {})}},
    Command.FULL_RESOLVE: lambda job: {"manifest": job.manifest},
    Command.CHECK: lambda _: {"success": True, "message": None},
    Command.DISCOVER: lambda _: {"catalog": {"streams": [{"name": "items"}]}},
}


class Memory(Engine):
    """Answers from a table, keeps what it was asked, and counts the jobs that were ended before their outcome."""

    def __init__(self) -> None:
        self.asked: list[Job] = []
        self.cancelled = threading.Event()
        self.started = threading.Event()
        self.closed = False
        self.outcome: Outcome | None = None
        self.events: tuple[Event, ...] = ()
        self.hangs = False
        self.breaks: Exception | None = None
        self.told: dict[str, Any] = {"cdk_version": "7.39.1", "python": "3.11.7", "warm": True, "why_not_warm": None}

    async def run(self, job: Job) -> AsyncIterator[Event | Outcome]:
        self.asked.append(job)
        self.started.set()
        if self.breaks is not None:
            raise self.breaks
        try:
            for event in self.events:
                yield event
            if self.hangs:
                await asyncio.Event().wait()
        except (asyncio.CancelledError, GeneratorExit):  # the latter where it is ended while an event is being told
            self.cancelled.set()
            raise
        yield self.outcome or Outcome(result=RESULTS[job.command](job), warm=True)

    async def about(self) -> Mapping[str, Any]:
        return self.told

    async def close(self) -> None:
        self.closed = True


class Memories(Engines):
    def __init__(self) -> None:
        self.engines: dict[str, Memory] = {}

    def named(self, name: str) -> Memory:
        return self.engines.setdefault(name, Memory())

    async def close(self) -> None:
        for engine in self.engines.values():
            await engine.close()


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def lines(self) -> list[Any]:
        """The events of a stream, in either form."""
        lines = (line.removeprefix("data: ") for line in self.raw.decode().splitlines())
        return [json.loads(line) for line in lines if line.startswith("{")]


class Client(NamedTuple):
    port: int

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, None, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, raw, **{"content_type": "application/json", **headers})

    def send(self, method: str, path: str, raw: bytes | None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, raw, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


@contextlib.contextmanager
def serving(engines: Engines, settings: Settings | None = None) -> Iterator[Client]:
    """Within, a server answers on a free port of loopback."""
    told = settings or Settings()
    held = listening(Settings(port=0))
    config = uvicorn.Config(application(told, engines), log_config=None, lifespan="on", ws="none", http="h11")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # threads have none
    thread = threading.Thread(target=server.run, kwargs={"sockets": [held]}, daemon=True)
    thread.start()
    try:
        yield Client(held.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive()
