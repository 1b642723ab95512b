"""The server as an ASGI application, made of the table of routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from python.builder.server import responses
from python.builder.server.access import Access
from python.builder.server.answers import refusal
from python.builder.server.asking import Call
from python.builder.server.engines import CDK_HEADER, Engines
from python.builder.server.problems import Problem, Violation, family_of
from python.builder.server.routes import ROUTES, Route
from python.builder.server.service import Service, unexpected
from python.builder.server.settings import Settings
from python.protocol.errors import HeadwaterError

__all__ = ["application", "openapi"]

_TITLE = "Headwater's Connector Builder server"
_GONE = 499  # nobody reads it


def application(settings: Settings, engines: Engines) -> ASGIApp:
    """Return the server. Its engines are closed when it ends."""
    app: ASGIApp = Access(_api(settings, engines), settings)
    if not settings.origins:
        return app
    origins = list(settings.origins)
    return CORSMiddleware(app, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=_ALLOWED)


_ALLOWED = ("Authorization", "Content-Type", CDK_HEADER)


def openapi(settings: Settings, engines: Engines) -> dict[str, Any]:
    """Return the description of every route, as OpenAPI."""
    return _api(settings, engines).openapi()


def _api(settings: Settings, engines: Engines) -> FastAPI:
    service = Service(settings, engines)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        del app
        yield
        await engines.close()

    api = FastAPI(title=_TITLE, version="1", lifespan=life, docs_url=None, redoc_url=None, redirect_slashes=False)
    for route in ROUTES:
        _add(api, service, route)
    for kind, handler in _HANDLERS.items():
        api.add_exception_handler(kind, handler)
    return api


def _add(api: FastAPI, service: Service, route: Route) -> None:
    has_message = route.family.has_message
    api.add_api_route(
        route.path,
        _endpoint(service, route),
        methods=[route.method],
        operation_id=f"{route.method}{route.path}".lower().replace("/", "_"),
        summary=(route.serve.__doc__ or "").split(".")[0],
        tags=[route.path.removeprefix("/").rpartition("/")[0] or "health"],
        response_class=Response,
        response_model=None,
        responses={
            200: {"model": route.answered},
            400: {"model": responses.KnownExceptionInfo if has_message else responses.Refusal},
            422: {"model": responses.InvalidInputExceptionInfo if has_message else responses.Refusal},
        },
    )


def _endpoint(service: Service, route: Route) -> Callable[..., Awaitable[Response]]:
    async def serve(request: Request, ask: Any) -> Response:  # noqa: ANN401 -- of the route's type
        try:
            return await route.serve(Call(service=service, request=request, family=route.family, ask=ask))
        except (Problem, ClientDisconnect):
            raise
        except asyncio.CancelledError:  # only the end of the server cancels a request, and its client still waits
            raise Problem(503, "the server is being stopped; the job was ended") from None
        except HeadwaterError as error:
            raise Problem(500, str(error)) from None
        except Exception as error:  # noqa: BLE001 -- an answer without what broke, which may hold a secret
            raise unexpected(error) from None

    async def serve_empty(request: Request) -> Response:
        return await serve(request, None)

    if route.asked is None:
        return serve_empty
    # FastAPI reads the type of the body from here.
    serve.__annotations__ = {"request": Request, "ask": route.asked, "return": Response}
    return serve


async def _problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)  # noqa: S101 -- it is the handler of these
    return refusal(problem, family_of(request.url.path))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 -- it is the handler of these
    sentences = {
        400: "the body cannot be read as JSON: it is no UTF-8, nested too deeply, or has a number of too many digits",
        404: f"there is no {request.url.path[:200]}: GET /openapi.json lists what there is",
        405: f"{request.url.path[:200]} does not take {request.method}",
    }
    problem = Problem(error.status_code, sentences.get(error.status_code, str(error.detail)))
    return refusal(problem, family_of(request.url.path))


async def _invalid(request: Request, error: Exception) -> Response:
    """Answer what is wrong with the shape of a body; what came there is told of numbers only."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 -- it is the handler of these
    violations = [_violation(each) for each in error.errors()]
    places = "; ".join(f"{'.'.join(map(str, each.at)) or 'the body'}: {each.message}" for each in violations[:3])
    problem = Problem(422, f"The request is not as it should be: {places}", violations=violations)
    return refusal(problem, family_of(request.url.path))


def _violation(error: dict[str, Any]) -> Violation:
    got = error.get("input")
    value = got if isinstance(got, (int, float)) else None
    at = tuple(each for each in error["loc"][1:] if error["type"] != "json_invalid")
    return Violation(at=at, message=error["msg"], kind=error["type"], value=value)


async def _gone(request: Request, error: Exception) -> Response:
    del request, error
    return Response(status_code=_GONE)


_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    Problem: _problem,
    HTTPException: _http,
    RequestValidationError: _invalid,
    ClientDisconnect: _gone,
}
