"""What the engine's tests share: an event loop that stays, an API with any behaviour, and manifests that read it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import urllib.parse
from collections.abc import Callable, Coroutine, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from python.builder.engine import Interpreter, Options, WorkerEngine
from python.builder.jobs import Command, Event, Job, Outcome

PAGE_ROWS = 10
T = TypeVar("T")


class Loop:
    """An event loop in a thread: an engine belongs to the loop that first uses it, so all its calls go here."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=120)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class Bench:
    """An engine, and a loop to run it on."""

    def __init__(self, interpreter: Interpreter | None = None, options: Options | None = None) -> None:
        self.loop = Loop()
        self.interpreter = interpreter
        self.engine = WorkerEngine(interpreter, options)

    def collect(self, job: Job) -> tuple[list[Event], Outcome]:
        """The events of `job`, and its outcome, which comes last."""
        *events, outcome = self.loop.run(everything(self.engine, job))
        assert isinstance(outcome, Outcome)
        assert all(isinstance(event, Event) for event in events)
        return [event for event in events if isinstance(event, Event)], outcome

    def outcome(self, job: Job) -> Outcome:
        return self.collect(job)[1]

    def about(self) -> Mapping[str, Any]:
        return self.loop.run(about(self.engine))

    def close(self) -> None:
        self.loop.run(self.engine.close())
        self.loop.close()


@contextlib.contextmanager
def bench(interpreter: Interpreter | None = None, options: Options | None = None) -> Iterator[Bench]:
    """Within, there is an engine that has tried to start its worker; afterwards none of its processes."""
    made = Bench(interpreter, options)
    try:
        made.about()
        yield made
    finally:
        made.close()


async def everything(engine: WorkerEngine, job: Job) -> list[Event | Outcome]:
    return [told async for told in engine.run(job)]


async def about(engine: WorkerEngine) -> Mapping[str, Any]:
    return await engine.about()


class Answer(NamedTuple):
    body: bytes
    status: int = 200
    content_type: str = "application/json"


class Api:
    """`GET /NAME` calls `routes[NAME](query)`, which may take its time; `asked` has the paths so far."""

    def __init__(self, routes: Mapping[str, Callable[[Mapping[str, str]], Answer]]) -> None:
        self.asked: list[str] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            wbufsize = -1  # header and body in one segment

            def do_GET(self) -> None:
                api.asked.append(self.path)
                url = urllib.parse.urlsplit(self.path)
                answer = routes[url.path.strip("/")](dict(urllib.parse.parse_qsl(url.query)))
                with contextlib.suppress(OSError):  # the reader was killed meanwhile
                    self.send_response(answer.status)
                    self.send_header("Content-Type", answer.content_type)
                    self.send_header("Content-Length", str(len(answer.body)))
                    self.end_headers()
                    self.wfile.write(answer.body)
                    self.wfile.flush()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name of the base class
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.socket.close()


@contextlib.contextmanager
def api(**routes: Callable[[Mapping[str, str]], Answer]) -> Iterator[Api]:
    """Within, an API with a table `items` of 40 rows in pages of ten, and with `routes`."""
    made = Api({"items": items, **routes})
    try:
        yield made
    finally:
        made.close()


def items(query: Mapping[str, str]) -> Answer:
    """A page of 40 rows, with the number of the next."""
    return page(query, 40)


def page(query: Mapping[str, str], rows: int) -> Answer:
    number = int(query.get("page", "1"))
    found = [
        {"id": i, "name": f"item {i}", "updated_at": f"2024-01-{i % 28 + 1:02}"}
        for i in range((number - 1) * PAGE_ROWS, min(rows, number * PAGE_ROWS))
    ]
    return Answer(json.dumps({"data": found, "next_page": number + 1 if number * PAGE_ROWS < rows else None}).encode())


def stream(url: str, name: str = "items", **retriever: Any) -> dict[str, Any]:
    """A stream that reads pages of `/NAME` by the number of the next; `retriever` adds to its retriever."""
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": "id",
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": url, "path": f"/{name}", "http_method": "GET"},
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
            },
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": {
                    "type": "RequestOption",
                    "inject_into": "request_parameter",
                    "field_name": "page",
                },
                "pagination_strategy": {
                    "type": "CursorPagination",
                    "cursor_value": "{{ response.get('next_page') }}",
                    "stop_condition": "{{ not response.get('next_page') }}",
                },
            },
            **retriever,
        },
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}},
    }


def manifest(*streams: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest of `streams`, old enough for every CDK, without a spec."""
    return {
        "version": "0.29.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [streams[0]["name"]]},
        "streams": list(streams),
    }


def read_job(url: str, name: str = "items", **fields: Any) -> Job:
    """A test read of one stream."""
    return Job(command=Command.TEST_READ, manifest=manifest(stream(url, name)), stream=name, **fields)


def records(outcome: Outcome) -> list[Mapping[str, Any]]:
    """All records of an outcome."""
    assert outcome.result is not None, outcome.failure
    return [record for each in outcome.result["slices"] for page in each["pages"] for record in page["records"]]


def children(pid: int) -> list[int]:
    """The processes that a worker has for jobs: all that it has started, but the one that waits for a job.

    A job's process is in the folder of the job, the other where the worker is.
    """
    found = [int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]
    return [child for child in found if not is_spare(child, pid)]


def is_spare(child: int, pid: int) -> bool:
    """Whether `child` waits for a job of the worker `pid`."""
    places = []
    for each in (child, pid):
        with contextlib.suppress(OSError):  # it has ended
            places.append(Path(f"/proc/{each}/cwd").readlink())
    return len(places) == 2 and len(set(places)) == 1


def told(outcome: Outcome) -> Any:
    """What of an outcome must be the same: not the dates of exchanges, nor where code lies."""
    failure = outcome.failure and msgspec.structs.replace(outcome.failure, stack="")
    return without_dates(outcome.result), failure, outcome.limits_reached


def without_dates(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: without_dates(inner) for key, inner in value.items() if key not in ("Date", "emitted_at")}
    return [without_dates(inner) for inner in value] if isinstance(value, list) else value


CUSTOM = """
import os
from dataclasses import InitVar, dataclass
from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor

@dataclass
class Environment(RecordExtractor):
    config: object = None
    parameters: InitVar[object] = None

    def __post_init__(self, parameters):
        print("noise on stdout")

    def extract_records(self, response):
        yield {"environment": dict(os.environ), "folder": os.getcwd()}
"""


def custom_job(url: str) -> Job:
    made = stream(url)
    made["retriever"]["record_selector"]["extractor"] = {
        "type": "CustomRecordExtractor",
        "class_name": "source_declarative_manifest.components.Environment",
    }
    return Job(command=Command.TEST_READ, manifest=manifest(made), stream="items", components_py=CUSTOM)


@contextlib.contextmanager
def slow_api() -> Iterator[Api]:
    """Within, an API whose table `slow` has a second page that never comes."""
    released = threading.Event()

    def slow(query: Mapping[str, str]) -> Answer:
        if query.get("page") == "2":
            released.wait(60)
        return page(query, 40)

    with api(slow=slow) as made:
        try:
            yield made
        finally:
            released.set()
