"""What the servers of connectors' tests share: JSON over HTTP on loopback, for a test or for a person."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["JsonApi", "serve_for_ever", "serving"]


class JsonApi(BaseHTTPRequestHandler):
    """Answers a GET with what `answer` says of its path and query."""

    protocol_version = "HTTP/1.1"
    content_type: ClassVar[str] = "application/json"

    def answer(self, path: list[str], query: dict[str, str]) -> tuple[int, Any]:
        """Return the status, and what is the body as JSON. `path` has the parts between slashes, decoded."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """Answer."""
        target = urlsplit(self.path)
        path = [unquote(part) for part in target.path.strip("/").split("/")]
        status, found = self.answer(path, dict(parse_qsl(target.query)))
        body = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", self.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
        """Say nothing."""


def serving(api: type[JsonApi]) -> Iterator[str]:
    """Yield the address of `api` on loopback, and stop it in the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), api)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def serve_for_ever(api: type[JsonApi]) -> None:
    """Serve `api` at the port that the command line names, until Ctrl-C."""
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), api).serve_forever()
