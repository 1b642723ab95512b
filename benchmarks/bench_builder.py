"""What the Connector Builder server adds to a test read, over HTTP, beside the plain command; and what is left.

Usage: python benchmarks/bench_builder.py [READS [LEFTOVER_READS]]   (by default 100 and 1,000)

Added latency is the time of a request less the time that the API itself takes for the same pages, asked with one
connection. Goals (issue 6): a read of 4 pages p50 60 ms, p99 150 ms added; resolve p50 20 ms; 8 clients 12 reads/s;
120 MB for each CDK.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import psutil

ROOT = Path(__file__).parent.parent
PAGES, ROWS, CLIENTS, PLAIN_READS = 4, 20, 8, 5
CONFIG = {"api_key": "a-key-of-the-api"}


class Server(NamedTuple):
    """A server that runs, and where."""

    port: int
    process: psutil.Process


def main(reads: int, leftover_reads: int) -> None:
    with api() as address, builder() as server:
        ask = json.dumps({"manifest": manifest(address), "config": CONFIG, "stream": "items"})
        post(server, "/v1/stream/read", ask)
        own = statistics.median(seconds(lambda: fetch(address)) for _ in range(20))
        print(f"the API alone, {PAGES} pages: {own * 1000:.1f} ms")
        report("read, added", [seconds(lambda: post(server, "/v1/stream/read", ask)) - own for _ in range(reads)])
        report("resolve", [seconds(lambda: post(server, "/v1/manifest/resolve", ask)) for _ in range(reads)])
        report("plain command, added", [seconds(lambda: command(address)) - own for _ in range(PLAIN_READS)])
        print(f"{CLIENTS} clients at once: {at_once(server, ask, reads):.1f} reads/s")
        print(memory(server))
        print(leftovers(server, ask, leftover_reads))


def report(name: str, taken: list[float]) -> None:
    ordered = sorted(each * 1000 for each in taken)
    p50, p99 = statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms of {len(ordered)}")


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def post(server: Server, path: str, ask: str) -> dict[str, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        connection.request("POST", path, ask, {"Content-Type": "application/json"})
        response = connection.getresponse()
        body: dict[str, Any] = json.loads(response.read())
    assert response.status == 200, body
    if "slices" in body:
        assert sum(len(page["records"]) for page in body["slices"][0]["pages"]) == PAGES * ROWS - 1, body["logs"]
    return body


def fetch(address: str) -> None:
    with closing(http.client.HTTPConnection(address.removeprefix("http://"))) as connection:
        for page in range(1, PAGES + 1):
            connection.request("GET", f"/items?page={page}")
            connection.getresponse().read()


def command(address: str) -> None:
    """What Airbyte's own server does for each request."""
    told = {
        **CONFIG,
        "__command": "test_read",
        "__injected_declarative_manifest": manifest(address),
        "__test_read_config": {"max_records": 1000},
    }
    stream = {"name": "items", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}
    catalog = {"streams": [{"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "overwrite"}]}
    with tempfile.TemporaryDirectory() as folder:
        arguments = []
        for name, value in (("config", told), ("catalog", catalog), ("state", [])):
            path = Path(folder) / f"{name}.json"
            path.write_text(json.dumps(value))
            arguments += [f"--{name}", str(path)]
        module = "airbyte_cdk.connector_builder.main"
        done = subprocess.run([sys.executable, "-m", module, "read", *arguments], capture_output=True, check=True)
    assert b'"RECORD"' in done.stdout.splitlines()[-1], done.stdout


def at_once(server: Server, ask: str, reads: int) -> float:
    with ThreadPoolExecutor(CLIENTS) as clients:
        taken = seconds(lambda: list(clients.map(lambda _: post(server, "/v1/stream/read", ask), range(reads))))
    return reads / taken


def memory(server: Server) -> str:
    """Resident memory when nothing runs: the server's, and that of all others, where shared pages count once."""
    others = [each.memory_full_info().pss / 1e6 for each in server.process.children(recursive=True)]
    own = server.process.memory_info().rss / 1e6
    return f"idle: server {own:.0f} MB, its worker {sum(others):.0f} MB in {len(others)} processes"


def leftovers(server: Server, ask: str, reads: int) -> str:
    def found() -> tuple[int, int, int]:
        processes = [server.process, *server.process.children(recursive=True)]
        files = sum(len(names) for _, _, names in os.walk(tempfile.gettempdir()))
        return len(processes), sum(each.num_fds() for each in processes), files

    before = found()
    for _ in range(reads):
        post(server, "/v1/stream/read", ask)
    told = zip(("processes", "descriptors", "files"), before, found(), strict=True)
    return f"after {reads:,} reads: " + ", ".join(f"{name} {one} -> {other}" for name, one, other in told)


@contextmanager
def builder() -> Iterator[Server]:
    """Within, `headwater builder` runs, with temporary files of its own."""
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        command = [str(Path(sys.executable).parent / "headwater"), "builder", "--port", "0"]
        environment = {**os.environ, "TMPDIR": folder}
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout
        try:
            port = int(process.stdout.readline().rpartition(":")[2])
            yield Server(port, psutil.Process(process.pid))
        finally:
            process.terminate()
            print(f"ended with {process.wait()}, {len([*Path(folder).iterdir()])} files left")
            tempfile.tempdir = None


@contextmanager
def api() -> Iterator[str]:
    """Within, pages of rows are served; head and body go out at once, since a delayed ACK would cost 40 ms a page."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            page = int(self.path.rpartition("=")[2])
            count = ROWS if page < PAGES else ROWS - 1  # a short page is the last
            rows = [{"id": page * ROWS + row, "name": f"name {row}"} for row in range(count)]
            body = json.dumps({"data": rows}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name of the base class
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def manifest(address: str) -> dict[str, Any]:
    paginator = {
        "type": "DefaultPaginator",
        "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"},
        "pagination_strategy": {
            "type": "PageIncrement",
            "page_size": ROWS,
            "start_from_page": 1,
            "inject_on_first_request": True,
        },
    }
    requester = {"type": "HttpRequester", "url": f"{address}/items", "http_method": "GET"}
    extractor = {"type": "DpathExtractor", "field_path": ["data"]}
    retriever = {"type": "SimpleRetriever", "requester": requester, "paginator": paginator}
    retriever["record_selector"] = {"type": "RecordSelector", "extractor": extractor}
    schema = {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {"id": {"type": "integer"}}}}
    return {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["items"]},
        "streams": [{"type": "DeclarativeStream", "name": "items", "retriever": retriever, "schema_loader": schema}],
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
    }


if __name__ == "__main__":
    main(*[int(each) for each in sys.argv[1:]] or (100, 1000))
