"""A small GitLab, on loopback, with one group of two projects:   python source-gitlab/tests/server.py 8765"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

TOKEN = "glpat-not-a-real-token-0123456789"  # noqa: S105 -- of a server that is made up
ADA = {"id": 7, "name": "Ada", "username": "ada", "state": "active"}
PROJECTS = {
    11: {"id": 11, "name": "boats", "path_with_namespace": "harbour/boats", "default_branch": "main"},
    12: {"id": 12, "name": "tides", "path_with_namespace": "harbour/tides", "default_branch": "main"},
}
GROUP = {"id": 3, "name": "harbour", "path": "harbour", "full_path": "harbour", "parent_id": None}


def commits(project: int) -> list[dict[str, Any]]:
    """The commits of a project: so many that they fill more than a page."""
    return [
        {
            "id": sha1(f"{project} {number}".encode(), usedforsecurity=False).hexdigest(),
            "title": f"Mend plank {number}",
            "author_name": "Ada",
            "created_at": f"2024-0{6 + number // 28}-{number % 28 + 1:02}T12:00:00.000+00:00",
            "stats": {"additions": number, "deletions": 1, "total": number + 1},
        }
        for number in range(56 if project == 11 else 2)
    ]


def issues(project: int) -> list[dict[str, Any]]:
    """The issues of a project, each with people in it."""
    return [
        {
            "id": project * 100 + number,
            "iid": number,
            "project_id": project,
            "title": f"Leak {number}",
            "state": "opened" if number % 2 else "closed",
            "author": ADA,
            "assignee": ADA if number == 1 else None,
            "assignees": [ADA] if number == 1 else [],
            "labels": ["urgent"][: number % 2],
            "created_at": f"2024-06-{number:02}T08:30:00.000Z",
            "updated_at": f"2024-07-{number:02}T08:30:00.000Z",
        }
        for number in range(1, 6)
    ]


def below_project(project: int, rest: list[str]) -> Any:
    """What stands at a path below a project; of what is not here, there is none."""
    if not rest:
        return {**PROJECTS[project], "statistics": {"commit_count": len(commits(project))}}
    tables = {
        "issues": issues(project),
        "repository/commits": commits(project),
        "repository/branches": [{"name": "main", "protected": True, "commit": commits(project)[0]}],
        "repository/tags": [{"name": "v1", "message": "", "commit": commits(project)[1], "release": None}],
        "members": [{**ADA, "access_level": 50}],
        "users": [ADA],
        "labels": [{"id": project * 10, "name": "urgent", "color": "#ff0000", "priority": None}],
    }
    return tables.get("/".join(rest), [])


def answer(path: list[str]) -> Any:
    """What the API has at a path; None where it has nothing."""
    kind, *rest = path
    if kind == "groups" and not rest:
        return [GROUP]
    if kind == "groups" and rest[0] in ("3", "harbour"):
        lists = {"members": [{**ADA, "access_level": 50}], "labels": [{"id": 5, "name": "sea", "color": "#0000ff"}]}
        return {**GROUP, "projects": list(PROJECTS.values())} if not rest[1:] else lists.get("/".join(rest[1:]), [])
    if kind == "projects" and rest:
        known = {str(number): number for number in PROJECTS}
        known |= {str(project["path_with_namespace"]): number for number, project in PROJECTS.items()}
        return below_project(known[rest[0]], rest[1:]) if rest[0] in known else None
    return None


def page(rows: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    """One page of the rows between the times that are asked for."""
    for member, since, until in (("updated_at", "updated_after", "updated_before"), ("created_at", "since", "until")):
        if since in query:
            rows = [row for row in rows if query[since] <= str(row[member])[:19] + "Z" <= query[until]]
    size = int(query.get("per_page", "20"))
    first = (int(query.get("page", "1")) - 1) * size
    return rows[first : first + size]


class Handler(BaseHTTPRequestHandler):
    """Answers those who have the token."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with what is there, 401 or 404."""
        target = urlsplit(self.path)
        parts = [unquote(part) for part in target.path.removeprefix("/api/v4/").split("/")]
        found = answer(parts)
        allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if isinstance(found, list):
            found = page(found, dict(parse_qsl(target.query)))
        status = 401 if not allowed else 404 if found is None else 200
        body = json.dumps(found if status == 200 else {"message": f"{status}"}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
        """Say nothing."""


def serving(port: int = 0) -> Iterator[str]:
    """Yield the address of a GitLab on loopback, and stop it in the end; port 0 takes any that is free."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
