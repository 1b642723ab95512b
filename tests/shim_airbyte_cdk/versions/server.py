"""A server on loopback with parents in pages, their children, and rows with dates."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NOONS = [f"2024-01-0{day}T12:00:00Z" for day in (1, 2, 3)]
PARENTS = [{"id": number, "share": number + 0.1, "none": None, "in": {"none": None}} for number in range(1, 6)]


def answer(path: str, asked: dict[str, str]) -> Any:
    noons = [noon for noon in NOONS if asked.get("from", "") <= noon <= asked.get("to", "9")]
    if path == "/parents":
        page = int(asked.get("page", 0))
        following = {"next": page + 1} if 2 * page + 2 < len(PARENTS) else {}
        return {"data": PARENTS[2 * page : 2 * page + 2], **following}
    if path == "/all_parents":
        return {"data": PARENTS[:3]}
    if path == "/dated":
        return {"data": [{"id": int(noon[8:10]), "at": noon} for noon in noons]}
    parent, what = re.fullmatch(r"/parents/(\d+)/(children|visits)", path).groups()  # type: ignore[union-attr]  # else 500
    if what == "children":
        return {"data": [{"id": 10 * int(parent) + number, "parent": int(parent)} for number in range(2)]}
    return {"data": [{"id": 100 * int(parent) + int(noon[8:10]), "at": noon} for noon in noons]}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        at = urlsplit(self.path)
        body = json.dumps(answer(at.path, {name: values[0] for name, values in parse_qs(at.query).items()})).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *given: Any) -> None:
        """Not a word: what is printed is looked at."""


@contextlib.contextmanager
def serving() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
