"""The API that the manifests of this folder read, on loopback: the same data in every run."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

TOKEN = "refresh-token-0123456789"
KEY = "api-key-0123456789"
LOGIN = {"username": "reader", "password": "pass-word-0123456789"}


class Asked(NamedTuple):
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    before: int
    """How often the path was asked until now."""

    @property
    def json(self) -> Any:
        return json.loads(self.body or b"{}")


class Answer(NamedTuple):
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(json.dumps(value).encode(), status, {name.replace("_", "-"): text for name, text in headers.items()})


def refused(why: str) -> Answer:
    return as_json({"error": why}, 401)


def items(count: int, **more: Callable[[int], Any]) -> list[dict[str, Any]]:
    return [{"id": number, **{name: make(number) for name, make in more.items()}} for number in range(1, count + 1)]


def day(number: int) -> str:
    """A day of 2024, the first of January being 0."""
    month, days = divmod(number, 28)
    return f"2024-{month + 1:02}-{days + 1:02}"


def offset(asked: Asked) -> Answer:
    """Written as text: decimals, exponents and big integers that a server may write."""
    first, size = int(asked.query.get("offset", 0)), int(asked.query["limit"])
    found = [
        b'{"shop": "s%d", "id": %d, "price": %d.50, "rate": 1.25e-7, "total": 9007199254740993, "gone": null, '
        b'"tags": ["\xc3\xa9", null], "size": {"w": 0.1, "h": null}}' % (n % 3, n, n)
        for n in range(23)
    ]
    return Answer(b'{"data": {"items": [%b]}}' % b", ".join(found[first : first + size]))


def pages(asked: Asked) -> Answer:
    if asked.headers.get("X-Api-Key") != KEY:
        return refused("no key")
    page, size = int(asked.query["page"]), int(asked.query["per_page"])
    return as_json(items(17, total=lambda n: n % 4)[(page - 1) * size : page * size])


def cursor(asked: Asked) -> Answer:
    """Two ways to go on: a token in the body, and the address of the next page."""
    if asked.path.endswith("/search"):
        at = int(asked.json.get("cursor") or 0)
        found = items(11)[at : at + 4] if asked.json.get("query") == "all" else []
        return as_json({"results": found, "paging": {"next": str(at + 4) if at + 4 < 11 else None}})
    at = int(asked.query.get("after", 0))
    host = asked.headers["Host"]
    follows = f"http://{host}/cursor/events?after={at + 3}" if at + 3 < 8 else None
    return as_json({"events": items(8, kind=lambda n: "ab"[n % 2])[at : at + 3], "links": {"next": follows}})


def lists(asked: Asked) -> Answer:
    region, since = asked.query["region"], asked.query.get("since", "")
    found = items(6, region=lambda _: region, updated_at=lambda n: f"{day(n * 3)}T08:00:00Z")
    return as_json({"sales": [each for each in found if each["updated_at"] >= since]})


def substreams(asked: Asked) -> Answer:
    parts = asked.path.strip("/").split("/")[1:]
    since = asked.query.get("since", "")
    if parts == ["projects"]:
        found = items(3, updated_at=lambda n: f"{day(n * 5)}T00:00:00Z")
        return as_json([each for each in found if each["updated_at"] >= since])
    if parts == ["comments"]:
        return as_json(items(2, text=lambda n: f"comment {n} of {asked.query['task']}"))
    project = int(parts[1])
    found = [
        {"id": project * 100 + n, "changed": f"{day(project * 5 + n)}T12:00:00Z", "hours": n / 4} for n in range(1, 4)
    ]
    return as_json({"tasks": [each for each in found if each["changed"] >= since]})


def windows(asked: Asked) -> Answer:
    if asked.path.endswith("/epochs"):
        first, last = int(asked.query["from"]), int(asked.query["to"])
        times = range(1_704_067_200, 1_704_153_600, 7_200)
        return as_json([{"id": at, "at": at} for at in times if first <= at <= last])
    found = items(40, on=day)
    low, high = asked.query.get("from", ""), asked.query.get("to", "9")
    return as_json({"days": [each for each in found if low <= each["on"] <= high]})


def oauth(asked: Asked) -> Answer:
    if asked.path.endswith("/token"):
        form = parse_qs(asked.body.decode())
        if form.get("refresh_token") != [TOKEN] or form.get("grant_type") != ["refresh_token"]:
            return refused("no refresh token")
        return as_json({"access_token": "access-token-0123456789", "expires_in": 3600})
    if asked.headers.get("Authorization") != "Bearer access-token-0123456789":
        return refused("no access token")
    return as_json({"members": items(5, name=lambda n: f"member {n}")})


def session(asked: Asked) -> Answer:
    if asked.path.endswith("/login"):
        return as_json({"data": {"id": "session-0123456789"}}) if asked.json == LOGIN else refused("no such user")
    if asked.headers.get("X-Session") != "session-0123456789":
        return refused("no session")
    return as_json({"rows": items(4, seen=lambda n: n > 2)})


def jsonl(asked: Asked) -> Answer:
    del asked
    return Answer(b"\n".join(b'{"id": %d, "amount": %d.10, "big": 1%020d}' % (n, n, n) for n in range(6)))


def gzipped(asked: Asked) -> Answer:
    lines = [json.dumps(each) for each in items(9, name=lambda n: "é" * n)]
    if asked.path.endswith("/table"):
        lines = ["id,name", *(f"{each['id']},{each['name']}" for each in items(5, name=lambda n: f"n{n}"))]
    return Answer(gzip.compress("\n".join(lines).encode(), mtime=0))


def csv(asked: Asked) -> Answer:
    del asked
    return Answer(('id;name;price\n1;"a; b";1.50\n2;"line\nbreak";\n3;é;1e3\n').encode("latin-1"))


def xml(asked: Asked) -> Answer:
    rows = "".join(f'<row id="{n}"><name>n{n}</name><price>{n}.50</price></row>' for n in range(1, 4))
    del asked
    return Answer(f"<answer><rows>{rows}</rows></answer>".encode())


def dynamic(asked: Asked) -> Answer:
    if asked.path.endswith("/tables"):
        return as_json([{"name": "cats", "key": "id"}, {"name": "dogs", "key": "id"}])
    table = asked.path.rpartition("/")[2]
    return as_json(items(3, table=lambda _: table))


def custom(asked: Asked) -> Answer:
    if asked.headers.get("X-Signed") != f"signed:{asked.path}":
        return refused("not signed")
    start = int(asked.query.get("start", 0))
    rows = [[n, f"n{n}", n / 8] for n in range(start, min(start + 3, 8))]
    return as_json({"columns": ["id", "Name", "Share"], "rows": rows, "left": max(8 - start - 3, 0)})


def errors(asked: Asked) -> Answer:
    """Every second request is refused, so that each read meets the same errors."""
    if asked.path.endswith("/busy") and asked.before % 2 == 0:
        return as_json({"error": "busy"}, 503)
    if asked.path.endswith("/limited") and asked.before % 2 == 0:
        return as_json({"error": "slow down"}, 429, Retry_After="0")
    if asked.path.endswith("/late") and asked.before % 2 == 0:
        return as_json({"state": "not ready"})
    if asked.path.endswith("/gone"):
        return as_json({"error": "no such area"}, 404)
    return as_json({"rows": items(3, area=lambda _: asked.path.rpartition("/")[2])})


def transforms(asked: Asked) -> Answer:
    del asked
    more = {"address": {"city": "X", "geo": {"lat": "1.5"}}, "secret": "s"}
    members = {
        name: [{**each, **more, "FullName": f"{name} {each['id']}", "Count": str(each["id"])} for each in items(2)]
        for name in ("a", "b")
    }
    return as_json({"groups": {name: {"members": found} for name, found in members.items()}})


def requests(asked: Asked) -> Answer:
    user, _, password = base64.b64decode(asked.headers.get("Authorization", " ").partition(" ")[2]).partition(b":")
    seen = {"user": user.decode(), "password": password.decode(), "tenant": asked.headers.get("X-Tenant")}
    if asked.path.endswith("/form"):
        return as_json([{"id": 1, "form": asked.body.decode(), **seen}])
    if asked.path.endswith("/graphql"):
        return as_json({"data": {"rows": [{"id": 1, "query": asked.json.get("query"), **seen}]}})
    return as_json([{"id": 1, "query": dict(sorted(asked.query.items())), **seen}])


def groups(asked: Asked) -> Answer:
    if asked.path.endswith("/children"):
        parents = asked.query["parents"].split(",")
        return as_json([{"id": int(parent) * 10 + n, "asked": len(parents)} for parent in parents for n in range(2)])
    found = items(5, on=lambda n: day(n * 2))
    return as_json([each for each in found if each["on"] >= asked.query.get("from", "")])


def reports(asked: Asked) -> Answer:
    """A job's id says what it is about, so that the server needs to remember nothing."""
    if asked.path.endswith("/jobs"):
        return as_json({"id": "_".join(asked.json.values())})
    first, last = asked.path.rpartition("/")[2].split("_")
    if "/jobs/" in asked.path:
        return as_json({"status": "done", "files": [f"http://{asked.headers['Host']}/reports/files/{first}_{last}"]})
    rows = [f"{each['id']},{each['on']}" for each in items(25, on=lambda n: day(n - 1)) if first <= each["on"] <= last]
    return Answer(gzip.compress("\n".join(["id,on", *rows]).encode(), mtime=0))


ROUTES: Mapping[str, Callable[[Asked], Answer]] = {
    "cursor": cursor,
    "csv": csv,
    "custom": custom,
    "dynamic": dynamic,
    "errors": errors,
    "groups": groups,
    "gzip": gzipped,
    "jsonl": jsonl,
    "lists": lists,
    "oauth": oauth,
    "offset": offset,
    "pages": pages,
    "reports": reports,
    "requests": requests,
    "session": session,
    "substreams": substreams,
    "transforms": transforms,
    "windows": windows,
    "xml": xml,
}


class Server(ThreadingHTTPServer):
    """Serves the routes until `shutdown`; `asked` remembers each request, as `METHOD /path?query`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def count(self, method: str, target: str) -> int:
        """Remember a request, and return how often its path was asked before."""
        path = urlsplit(target).path
        with self._lock:
            before = sum(urlsplit(each.partition(" ")[2]).path == path for each in self.asked)
            self.asked.append(f"{method} {target}")
        return before


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = {name: ",".join(values) for name, values in parse_qs(target.query).items()}
        headers = dict(self.headers.items())
        asked = Asked(target.path, query, headers, body, self.server.count(self.command, self.path))
        route = ROUTES.get(target.path.split("/")[1])
        answer = route(asked) if route else as_json({"error": "no such path"}, 404)
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_GET  # noqa: N815 -- the library's name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
        """Say nothing: `asked` remembers."""


def serving() -> Iterator[Server]:
    """Yield a server, and stop it in the end: the body of a fixture."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
