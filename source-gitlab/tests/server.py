"""A small GitLab, on loopback, with one group of two projects:   python -m source-gitlab.tests.server 8765"""

from __future__ import annotations

from hashlib import sha1
from typing import Any

from tests.serving import JsonApi, serve_for_ever

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


def found_at(path: list[str]) -> Any:
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


class Api(JsonApi):
    """Answers those who have the token."""

    def answer(self, path: list[str], query: dict[str, str]) -> tuple[int, Any]:
        """Answer with what is there, 401 or 404."""
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "401"}
        found = found_at(path[2:])
        if found is None:
            return 404, {"message": "404"}
        return 200, page(found, query) if isinstance(found, list) else found


if __name__ == "__main__":
    serve_for_ever(Api)
