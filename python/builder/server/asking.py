"""One request: what it asks, of which engine, about which manifest."""

from __future__ import annotations

import asyncio
from typing import Any, Generic, TypeVar

import msgspec
from starlette.requests import Request

from python.builder.jobs import Engine
from python.builder.manifests.cdk import Cdk
from python.builder.server.engines import CDK_HEADER, chosen
from python.builder.server.models import Manifest
from python.builder.server.opening import Opened, opened_manifest
from python.builder.server.problems import Family, Problem
from python.builder.server.service import Service
from python.builder.server.settings import Settings
from python.builder.worker.masking import Masker

__all__ = ["Call", "Question", "cdk_of", "engine_name", "question", "seconds"]

_Ask = TypeVar("_Ask")


class Call(msgspec.Struct, Generic[_Ask], frozen=True, kw_only=True):
    """A request to a route: `ask` is its checked body."""

    service: Service
    request: Request
    family: Family
    ask: _Ask


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What most routes make of a request: a manifest that may be run, the engine for it, and what masks its secrets."""

    engine: Engine
    opened: Opened
    masker: Masker


def engine_name(call: Call[Any]) -> str:
    """Return the name of the engine that a request means. Raises Problem for one that there is not."""
    context = getattr(call.ask, "context", None)
    project = getattr(call.ask, "project_id", None) or (context.project_id if context else None)
    return chosen(call.service.settings, call.request.headers.get(CDK_HEADER), project)


async def cdk_of(call: Call[Any]) -> Cdk:
    """Return what the CDK allows that a request means."""
    return await call.service.cdk(engine_name(call))


async def question(call: Call[Any]) -> Question:
    """Return what a request asks. Raises Problem for a manifest with errors, unless the request says `lint: false`."""
    ask: Manifest = call.ask
    name = engine_name(call)
    cdk = await call.service.cdk(name)
    opened = await asyncio.to_thread(opened_manifest, ask.manifest, cdk, strict=ask.lint)
    return Question(
        engine=call.service.engines.named(name),
        opened=opened,
        masker=Masker(opened.value, getattr(ask, "config", {})),
    )


def seconds(settings: Settings, deadline: float | None) -> float:
    """Return how long a job may take. Raises Problem beyond the server's own limit."""
    if deadline is None:
        return settings.deadline_seconds
    if deadline > settings.deadline_seconds_max:
        most = settings.deadline_seconds_max
        raise Problem(400, f"Requested deadline of {deadline:g} seconds exceeds maximum of {most:g}.")
    return deadline
