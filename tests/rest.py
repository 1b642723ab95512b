"""A small REST API for tests, on loopback: `GET /NAME?page=2&since=…` gives a page of a table as JSON."""

from __future__ import annotations

import contextlib
import json
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

from tests.listening import listening

PAGE_ROWS = 10


class Api(NamedTuple):
    url: str
    asked: list[str]
    """The paths of all requests so far, with their queries."""


@contextlib.contextmanager
def rest_api(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Api]:
    """Within, `tables` are served; `since` leaves out the rows whose `updated_at` is smaller."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            rows = tables.get(url.path.strip("/"))
            body = {"error": "no such table"} if rows is None else page(rows, query)
            text = json.dumps(body).encode()
            self.send_response(404 if rows is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name of the base class
            """Say nothing."""

    with listening(Handler) as url:
        yield Api(url, asked)


def page(rows: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """One page of `rows`, and the number of the next where there is one."""
    number = int(query.get("page", "1"))
    wanted = [row for row in rows if str(row.get("updated_at", "")) >= query.get("since", "")]
    found = wanted[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    return {"data": found, **({"next_page": number + 1} if number * PAGE_ROWS < len(wanted) else {})}
