"""Every route there is, as a table: path, family of its shapes, what it is asked and answers, what serves it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from pydantic import BaseModel
from starlette.responses import Response

from python.builder.server import exporting, health, models, reading, responses, running, tools
from python.builder.server.asking import Call
from python.builder.server.problems import Family, family_of

__all__ = ["ROUTES", "Route"]

_Serve = Callable[[Call[Any]], Awaitable[Response]]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One route. `asked` is the type of its body; without one, it is a GET."""

    path: str
    serve: _Serve
    answered: type[Any]
    asked: type[BaseModel] | None = None
    method: str = "POST"
    tag: str = ""

    @property
    def family(self) -> Family:
        """The shapes of its errors."""
        return family_of(self.path)


def _post(path: str, serve: _Serve, asked: type[BaseModel], answered: type[Any]) -> Route:
    return Route(path=path, serve=serve, asked=asked, answered=answered)


def _get(path: str, serve: _Serve, answered: type[Any]) -> Route:
    return Route(path=path, serve=serve, answered=answered, method="GET")


_NEWER = "/api/v1/connector_builder"
_OWN = "/v1/builder"

# Airbyte's platform, its older paths first. `/v1/manifest/resolve` was of all three servers.
_PLATFORM = (
    _post("/v1/stream/read", reading.read_one, models.StreamReadRequest, responses.StreamReadRead),
    _post("/v1/streams/list", running.list_streams, models.ListStreams, responses.StreamsListRead),
    _post("/v1/manifest/resolve", running.resolve, models.Manifest, responses.Resolved),
    _get("/v1/manifest_template", health.template, str),
    _get("/v1/health", health.health, responses.HealthRead),
    _post(f"{_NEWER}/stream/read", reading.read_one, models.StreamReadRequest, responses.StreamReadRead),
    _post(f"{_NEWER}/streams/list", running.list_streams, models.ListStreams, responses.StreamsListRead),
    _post(f"{_NEWER}/manifest/resolve", running.resolve, models.Manifest, responses.Resolved),
    _post(f"{_NEWER}/manifest/full_resolve", running.full_resolve, models.FullResolve, responses.Resolved),
    _get(f"{_NEWER}/manifest_template", health.template, str),
    _get(f"{_NEWER}/health", health.health, responses.HealthRead),
)

_MANIFEST_SERVER = (
    _post("/v1/manifest/test_read", reading.read_one, models.ManifestTestRead, responses.ManifestRead),
    _post("/v1/manifest/check", running.check, models.Configured, responses.Check),
    _post("/v1/manifest/discover", running.discover, models.Configured, responses.Discover),
    _post("/v1/manifest/full_resolve", running.full_resolve, models.ManifestFullResolve, responses.Resolved),
    _get("/capabilities", health.capabilities, responses.Capabilities),
    _get("/capabilities/", health.capabilities, responses.Capabilities),
    _get("/health", health.ok, responses.Ok),
    _get("/health/", health.ok, responses.Ok),
)

_OURS = (
    _post(f"{_OWN}/read", reading.read_many, models.ReadMany, responses.ReadOfMany),
    _post(f"{_OWN}/migrate", running.migrate, models.Manifest, responses.Migrated),
    _post(f"{_OWN}/lint", tools.lint, models.Lint, responses.Findings),
    _post(f"{_OWN}/check", tools.compatibility_of, models.Tool, responses.Rows),
    _post(f"{_OWN}/import", tools.import_, models.Import, responses.Imported),
    _post(f"{_OWN}/export", exporting.export, models.Export, bytes),
    _get(f"{_OWN}/cdks", health.cdks, dict),
)

_ABSENT = tuple(
    _post(f"{prefix}/{path}", health.absent, models.Anything, dict)
    for prefix in ("/v1", _NEWER)
    for path in ("contribute/check", "contribute/read", "contribute/generate", "assist/process", "assist/warm")
)

ROUTES = (*_PLATFORM, *_MANIFEST_SERVER, *_OURS, *_ABSENT)
"""All of them; each path stands once for a method."""
