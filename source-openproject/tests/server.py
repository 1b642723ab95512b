"""A small OpenProject, on loopback, with one project:   python -m source-openproject.tests.server 8766"""

from __future__ import annotations

import base64
from typing import Any

from tests.serving import JsonApi, serve_for_ever

KEY = "opapi-not-a-real-key-0123456789"
PAGE_ROWS = 20


def link(kind: str, number: int, title: str) -> dict[str, str]:
    """A reference to another resource, as HAL has it."""
    return {"href": f"/api/v3/{kind}/{number}", "title": title}


PACKAGES = [
    {
        "_type": "WorkPackage",
        "id": number,
        "lockVersion": number % 3,
        "subject": f"Caulk seam {number}",
        "description": {"format": "markdown", "raw": "", "html": ""},
        "dueDate": None if number % 4 else f"2024-08-{number % 28 + 1:02}",
        "percentageDone": number * 2,
        "createdAt": "2024-06-01T08:00:00.000Z",
        "updatedAt": f"2024-0{7 + number // 28}-{number % 28 + 1:02}T08:00:00.000Z",
        "_links": {
            "type": link("types", 1, "Task"),
            "status": link("statuses", 1 + number % 2, "New" if number % 2 else "Closed"),
            "project": link("projects", 3, "Harbour"),
            "assignee": {},
        },
    }
    for number in range(1, 26)
]
TABLES: dict[str, list[dict[str, Any]]] = {
    "projects": [
        {
            "_type": "Project",
            "id": 3,
            "identifier": "harbour",
            "name": "Harbour",
            "active": True,
            "public": False,
            "createdAt": "2024-05-01T08:00:00.000Z",
            "updatedAt": "2024-05-02T08:00:00.000Z",
            "_links": {"parent": {}},
        }
    ],
    "work_packages": PACKAGES,
    "statuses": [
        {"_type": "Status", "id": 1, "name": "Closed", "isClosed": True, "position": 2},
        {"_type": "Status", "id": 2, "name": "New", "isClosed": False, "position": 1},
    ],
    "work_packages/2/attachments": [
        {
            "_type": "Attachment",
            "id": 5,
            "fileName": "seam.jpg",
            "fileSize": 18014398509481985,
            "digest": {"algorithm": "md5", "hash": "64c26a8403cd796ea4cf913cda2ee4a9"},
            "createdAt": "2024-07-02T09:00:00.000Z",
            "_links": {"author": link("users", 7, "Ada"), "downloadLocation": {"href": "/attachments/5"}},
        }
    ],
}
LISTS = {"types", "priorities", "roles", "users", "versions", "time_entries", "relations", "memberships"}


def page(path: str, query: dict[str, str]) -> dict[str, Any] | None:
    """One page of a table, or None where there is no such thing."""
    if path not in TABLES and path not in LISTS and not path.endswith("/attachments"):
        return None
    rows = TABLES.get(path, [])
    number = int(query.get("offset", "1"))
    found = rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    links = {"nextByOffset": {"href": f"/api/v3/{path}?offset={number + 1}"}} if len(rows) > number * PAGE_ROWS else {}
    sizes = {"total": len(rows), "count": len(found), "pageSize": PAGE_ROWS, "offset": number}
    return {"_type": "Collection", **sizes, "_embedded": {"elements": found}, "_links": links}


class Api(JsonApi):
    """Answers those who have the key."""

    content_type = "application/hal+json"

    def answer(self, path: list[str], query: dict[str, str]) -> tuple[int, Any]:
        """Answer with a page, 401 or 404."""
        wanted = base64.b64encode(f"apikey:{KEY}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {wanted}":
            return 401, {"_type": "Error", "message": "401"}
        found = page("/".join(path[2:]), query)
        return (404, {"_type": "Error", "message": "404"}) if found is None else (200, found)


if __name__ == "__main__":
    serve_for_ever(Api)
