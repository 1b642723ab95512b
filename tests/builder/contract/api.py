"""The API that the contract's manifests read: every way of answering that a test read tells apart, on loopback."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

ROWS = 5


class Asked(NamedTuple):
    """One request: its path without query, the query, method, headers by lower-case name, and body."""

    path: str
    query: Mapping[str, str]
    method: str
    headers: Mapping[str, str]
    body: str


class Reply(NamedTuple):
    body: Any
    status: int = 200
    kind: str = "application/json"
    headers: Mapping[str, str] = {}


def rows(first: int, last: int) -> list[dict[str, Any]]:
    return [{"id": number, "name": f"name {number}"} for number in range(first, last + 1)]


def pages(asked: Asked) -> Reply:
    """Two rows a page, five in all; a page beyond them is empty."""
    page = int(asked.query.get("page", "1"))
    return Reply({"data": rows(2 * page - 1, min(2 * page, ROWS)), "next": page + 1 if 2 * page < ROWS else None})


def offset(asked: Asked) -> Reply:
    start = int(asked.query.get("offset", "0"))
    return Reply({"data": rows(start + 1, min(start + int(asked.query.get("limit", "2")), ROWS))})


def since(asked: Asked) -> Reply:
    """A row for each day that is asked for, at most three."""
    days = [f"2024-01-{day:02}" for day in range(1, 8)]
    wanted = [day for day in days if asked.query.get("start", "") <= day <= asked.query.get("end", "9")]
    return Reply({"data": [{"id": day, "day": day} for day in wanted]})


def children(asked: Asked) -> Reply:
    parent = asked.path.rpartition("/")[2]
    return Reply({"data": [{"id": f"{parent}.{number}", "parent": parent} for number in (1, 2)]})


def guarded(asked: Asked) -> Reply:
    """Rows for a secret, however it comes; otherwise 401."""
    authorization = asked.headers.get("authorization", "")
    if authorization.startswith("Basic "):
        authorization = base64.b64decode(authorization[6:]).decode()
    told = [authorization, asked.headers.get("x-api-key", ""), asked.query.get("key", "")]
    is_known = any("canary" in each or "fresh-token" in each for each in told)
    return Reply({"data": [{"id": 1, "told": told}]}) if is_known else Reply({"error": "who are you?"}, 401)


def token(asked: Asked) -> Reply:
    del asked
    return Reply({"access_token": "fresh-token-of-the-api", "refresh_token": "next-refresh-token", "expires_in": 3600})


def typed(asked: Asked) -> Reply:
    del asked
    one = {"id": 1, "n": 1, "f": 1.5, "b": True, "none": None, "day": "2024-01-01", "at": "2024-01-01T00:00:00Z"}
    return Reply({"data": [{**one, "tags": ["a"], "inner": {"x": 1}}, {**one, "id": 2, "n": 2, "tags": [], "f": None}]})


def many(asked: Asked) -> Reply:
    return Reply({"data": rows(1, int(asked.query.get("n", "1000")))})


ANSWERS: Mapping[str, Callable[[Asked], Reply]] = {
    "items": lambda _: Reply({"data": rows(1, 2)}),
    "bare": lambda _: Reply(rows(1, 2)),
    "pages": pages,
    "offset": offset,
    "since": since,
    "parents": lambda _: Reply({"data": [{"id": "a"}, {"id": "b"}]}),
    "children": children,
    "guarded": guarded,
    "token": token,
    "typed": typed,
    "many": many,
    "groups": lambda _: Reply({"groups": {"a": {"one": rows(1, 1)[0]}, "b": {"one": rows(2, 2)[0]}}}),
    "echo": lambda asked: Reply(
        {"data": [{"id": 1, "method": asked.method, "query": asked.query, "body": asked.body}]}
    ),
    "html": lambda _: Reply("<html><body>Sign in</body></html>", kind="text/html"),
    "broken": lambda _: Reply('{"data": [', kind="application/json"),
    "nothing": lambda _: Reply({"data": []}),
    "lines": lambda _: Reply('{"id": 1}\n{"id": 2}\n', kind="application/x-ndjson"),
    "csv": lambda _: Reply("id,name\n1,a\n2,b\n", kind="text/csv"),
    "nulls": lambda _: Reply({"data": None}),
    "object": lambda _: Reply({"data": {"id": 1}}),
    "streams": lambda _: Reply({"data": [{"id": "cats"}, {"id": "dogs"}, {"id": "eels"}]}),
}


class Api(NamedTuple):
    url: str
    asked: list[Asked]
    waiting: threading.Event
    """Set once somebody waits for `/silent`."""


@contextlib.contextmanager
def api() -> Iterator[Api]:
    """Within, the API answers; `/silent` never does, and `/status/N/…` answers with status N."""
    seen: list[Asked] = []
    ended, waiting = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(url.path, dict(urllib.parse.parse_qsl(url.query)), self.command, headers, body)
            seen.append(asked)
            first, _, rest = url.path.strip("/").partition("/")
            if first == "silent":
                waiting.set()
                ended.wait()
                return
            if first == "status":
                self.tell(Reply({"error": "as asked"}, int(rest), headers={"Retry-After": "1"}))
                return
            self.tell(ANSWERS[first](asked) if first in ANSWERS else Reply({"error": "no such path"}, 404))

        def tell(self, reply: Reply) -> None:
            raw = (reply.body if isinstance(reply.body, str) else json.dumps(reply.body)).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Type": reply.kind, "Content-Length": str(len(raw)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def date_time_string(self, timestamp: float | None = None) -> str:
            return "Thu, 01 Jan 1970 00:00:00 GMT"  # two reads of the same are equal

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name of the base class
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Api(f"http://127.0.0.1:{server.server_port}", seen, waiting)
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
