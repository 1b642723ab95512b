"""One request: what it asks, of which engine, and for how long."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec
from starlette.requests import Request

from python.builder.server.engines import CDK_HEADER, chosen
from python.builder.server.problems import Family, Problem
from python.builder.server.service import Service
from python.builder.server.settings import Settings

__all__ = ["Call", "engine_name", "seconds"]

_Ask = TypeVar("_Ask")


class Call(msgspec.Struct, Generic[_Ask], frozen=True, kw_only=True):
    """A request to a route: `ask` is its checked body."""

    service: Service
    request: Request
    family: Family
    ask: _Ask


def engine_name(call: Call[Any]) -> str:
    """Return the name of the engine that a request means. Raises Problem for one that there is not."""
    context = getattr(call.ask, "context", None)
    project = getattr(call.ask, "project_id", None) or (context.project_id if context else None)
    return chosen(call.service.settings, call.request.headers.get(CDK_HEADER), project)


def seconds(settings: Settings, deadline: float | None) -> float:
    """Return how long a job may take. Raises Problem beyond the server's own limit."""
    if deadline is None:
        return settings.deadline_seconds
    if deadline > settings.deadline_seconds_max:
        most = settings.deadline_seconds_max
        raise Problem(400, f"Requested deadline of {deadline:g} seconds exceeds maximum of {most:g}.")
    return deadline
