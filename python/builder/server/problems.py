"""What a request came to instead of an answer, in the shape that its family of paths has for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

__all__ = ["BOTH", "MANIFEST_SERVER", "PLATFORM", "Family", "Problem", "Violation", "body", "family_of"]


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """Which members the errors of some paths have: `message` as in KnownExceptionInfo, `detail` as of FastAPI."""

    name: str
    has_message: bool
    has_detail: bool


PLATFORM = Family(name="platform", has_message=True, has_detail=False)
"""airbyte-connector-builder-server: `/api/v1/connector_builder/…`."""

MANIFEST_SERVER = Family(name="manifest_server", has_message=False, has_detail=True)
"""`airbyte_cdk.manifest_server`: `/v1/manifest/…`."""

BOTH = Family(name="both", has_message=True, has_detail=True)
"""Paths that servers of both kinds have had, and our own: each client finds the members it knows (decision 0114)."""


def family_of(path: str) -> Family:
    """Return the family of a path, whether there is such a path or not."""
    if path.startswith("/api/"):
        return PLATFORM
    if path.startswith("/v1/manifest/") and path != "/v1/manifest/resolve":
        return MANIFEST_SERVER
    return BOTH


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with the shape of a request. `value` is a number or nothing: texts may be secrets."""

    at: tuple[str | int, ...]
    message: str
    kind: str
    value: float | None = None


class Problem(Exception):  # noqa: N818 -- it is no defect of ours
    """The answer to a request that cannot be served; `message` is for people, and has no secret.

    `prefix` is how the FastAPI families begin their sentence; `details` are further members for programs.
    """

    def __init__(self, status: int, message: str, **members: Any) -> None:  # noqa: ANN401 -- of _Members
        super().__init__(message)
        self.status = status
        self.message = message
        self.told = _Members(**members)


class _Members(msgspec.Struct, frozen=True, kw_only=True):
    prefix: str = ""
    details: Mapping[str, Any] = {}
    exception: str = ""
    stack: Sequence[str] = ()
    violations: Sequence[Violation] = ()
    headers: Mapping[str, str] = {}


def body(problem: Problem, family: Family) -> dict[str, Any]:
    """Return the body of a problem, in the shape of `family`."""
    told: dict[str, Any] = {}
    if family.has_message:
        told |= {"message": problem.message, "exceptionStack": list(problem.told.stack)}
        if problem.told.exception:
            told["exceptionClassName"] = problem.told.exception
        if problem.told.violations:
            told["validationErrors"] = [_for_platform(each) for each in problem.told.violations]
    if family.has_detail:
        listed = [_for_fastapi(each) for each in problem.told.violations]
        told["detail"] = listed or f"{problem.told.prefix}{problem.message}"
    if problem.told.details:
        told["details"] = dict(problem.told.details)
    return told


def _for_platform(violation: Violation) -> dict[str, Any]:
    path = ".".join(str(name) for name in violation.at)
    return {"propertyPath": path, "invalidValue": violation.value, "message": violation.message}


def _for_fastapi(violation: Violation) -> dict[str, Any]:
    return {"loc": ["body", *violation.at], "msg": violation.message, "type": violation.kind}
