"""What the builder's engine adds to a job, beside the plain command: latency, rate, memory, and what is left behind.

Run it on a quiet machine: `python -m benchmarks.bench_builder_worker [CDK_PYTHON] [--runs N] [--leftovers N]`.
Latency is of a test read of 4 pages with 20 records each, from an API in a process of its own on loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from python.builder.engine import Interpreter, Options, WorkerEngine
from python.builder.jobs import Command, Job, Outcome

PAGES, ROWS = 4, 20
AT_ONCE = 8
API = """
import json, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    wbufsize = -1  # header and body in one segment: apart, acknowledgements would cost 40 ms a page
    def do_GET(self):
        page = int(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query)).get("page", "1"))
        rows = [{"id": page * ROWS + i, "name": f"item {i}"} for i in range(ROWS)]
        body = json.dumps({"data": rows, "next_page": page + 1 if page < PAGES else None}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", nargs="?", default=sys.executable)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--plain-runs", type=int, default=5)
    parser.add_argument("--leftovers", type=int, default=1000)
    arguments = parser.parse_args()
    program = f"PAGES, ROWS = {PAGES}, {ROWS}\n{API}"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as api:
        assert api.stdout is not None
        try:
            asyncio.run(measure(f"http://127.0.0.1:{int(api.stdout.readline())}", arguments))
        finally:
            api.kill()


async def measure(url: str, arguments: argparse.Namespace) -> None:
    read = Job(command=Command.TEST_READ, manifest=manifest(url), stream="items")
    resolve = Job(command=Command.RESOLVE, manifest=manifest(url))
    plain = WorkerEngine(Interpreter(python=arguments.python), Options(plain=True))
    engine = WorkerEngine(Interpreter(python=arguments.python))
    began = time.perf_counter()
    await seconds(engine, read)
    print(f"first read of a new worker: {time.perf_counter() - began:.2f} s (goal: 2 s)")
    about = await engine.about()
    print(f"airbyte-cdk {about['cdk_version']}; idle {shared_once(about['pid']) / 1e6:.0f} MB (goal: 120 MB)")
    tell("test read, warm (goal: 60/150 ms)", [await seconds(engine, read) for _ in range(arguments.runs)])
    tell("resolve, warm (goal: 20 ms)", [await seconds(engine, resolve) for _ in range(arguments.runs)])
    tell("test read, plain", [await seconds(plain, read) for _ in range(arguments.plain_runs)])
    print(f"{AT_ONCE} at once, warm: {await rate(engine, read, arguments.runs):.1f} reads/s (goal: 12)")
    home = Path(engine._keeper.home())  # noqa: SLF001 -- nobody else may know where it is
    before = left(home)
    for _ in range(arguments.leftovers // AT_ONCE):
        await asyncio.gather(*(seconds(engine, read) for _ in range(AT_ONCE)))
    print(f"after {arguments.leftovers} more: {left(home)} files, descriptors, processes (before: {before}); ", end="")
    print(f"idle {shared_once(about['pid']) / 1e6:.0f} MB")
    await engine.close()
    await plain.close()


def tell(name: str, taken: Sequence[float]) -> None:
    ordered = sorted(taken)
    p50, p99 = statistics.median(ordered), ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))]
    print(f"{name}: p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms of {len(ordered)}")


async def seconds(engine: WorkerEngine, job: Job) -> float:
    began = time.perf_counter()
    outcome = [told async for told in engine.run(job)][-1]
    assert isinstance(outcome, Outcome)
    assert outcome.failure is None, outcome.failure
    return time.perf_counter() - began


async def rate(engine: WorkerEngine, job: Job, jobs: int) -> float:
    left_over = iter(range(jobs))

    async def client() -> None:
        for _ in left_over:
            await seconds(engine, job)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    return jobs / (time.perf_counter() - began)


def left(home: Path) -> tuple[int, int, int]:
    """Files of jobs, open descriptors, and processes below this one."""
    return len(list(home.iterdir())), len(list(Path("/proc/self/fd").iterdir())), len(descendants(os.getpid()))


def shared_once(pid: int) -> int:
    """Resident bytes of a worker and the child that waits for a job, where the pages that they share count once."""
    return sum(psutil.Process(each).memory_full_info().pss for each in [pid, *descendants(pid)])


def descendants(pid: int) -> list[int]:
    found = [int(each) for task in Path(f"/proc/{pid}/task").glob("*/children") for each in task.read_text().split()]
    return found + [each for child in found for each in descendants(child)]


def manifest(url: str) -> dict[str, object]:
    stream = {
        "type": "DeclarativeStream",
        "name": "items",
        "primary_key": "id",
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": url, "path": "/items"},
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
                    "cursor_value": "{{ response.next_page }}",
                    "stop_condition": "{{ not response.next_page }}",
                },
            },
        },
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}},
    }
    check = {"type": "CheckStream", "stream_names": ["items"]}
    return {"version": "0.29.0", "type": "DeclarativeSource", "check": check, "streams": [stream]}


if __name__ == "__main__":
    main()
