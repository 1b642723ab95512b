"""Who is served: the right host, no foreign web page, a token where one is demanded, JSON of a bounded size."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import re
import urllib.parse
from collections.abc import Mapping

import jwt
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from python.builder.server.answers import refusal
from python.builder.server.half_characters import refuse_half_characters
from python.builder.server.problems import Problem, family_of
from python.builder.server.settings import Settings, is_loopback

__all__ = ["OPEN_PATHS", "Access"]

OPEN_PATHS = frozenset(
    {"/health", "/health/", "/capabilities", "/capabilities/", "/v1/health", "/api/v1/connector_builder/health"}
)
"""What is answered without a token: probes have none."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_DRAINED_BYTES_MAX = 64 * 1024 * 1024  # of a body that is too large: a client that still sends cannot read why
_HOST = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::\d{1,5})?")


class Access:
    """An ASGI application that lets through to `app` only what may pass, with its body read whole.

    A page of another origin cannot use the server (Origin), nor can one whose name was made to point here (Host).
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            headers = _headers(scope)
            self._host(headers)
            self._origin(headers)
            if scope["path"] not in OPEN_PATHS:
                self._token(headers)
            body = await self._body(scope, headers, receive)
        except Problem as problem:
            await refusal(problem, family_of(scope["path"]))(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)

    def _host(self, headers: Mapping[str, str]) -> None:
        told = _HOST.fullmatch(headers.get("host", ""))
        name = (told["six"] or told["name"]).lower() if told else ""
        settings = self._settings
        known = {settings.host.lower(), *(host.lower() for host in settings.hosts), *_LOOPBACK}
        if name in known or (not is_loopback(settings.host) and _is_address(name)):
            return
        raise Problem(421, "the Host header names another server: say --allow-host NAME if this one is called so, too")

    def _origin(self, headers: Mapping[str, str]) -> None:
        origin = headers.get("origin")
        if origin is None or origin in self._settings.origins:
            return
        if _place(origin) != headers.get("host", "").lower():
            raise Problem(403, "pages of other origins are not served: say --allow-origin ORIGIN to allow one")

    def _token(self, headers: Mapping[str, str]) -> None:
        if not self._settings.is_guarded:
            return
        scheme, _, token = headers.get("authorization", "").partition(" ")
        challenge = {"WWW-Authenticate": "Bearer"}
        if scheme.lower() != "bearer" or not token.strip():
            raise Problem(401, "Bearer token required", headers=challenge)
        if not self._is_known(token.strip()):
            raise Problem(401, "Invalid token", headers=challenge)

    def _is_known(self, token: str) -> bool:
        settings = self._settings
        if settings.token is not None and hmac.compare_digest(token.encode(), settings.token.encode()):
            return True
        if settings.jwt_secret is None:
            return False
        try:
            jwt.decode(token, settings.jwt_secret, algorithms=["HS256"])
        except jwt.PyJWTError:
            return False
        return True

    async def _body(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> bytes:
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return b""
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Problem(415, f"want Content-Type: application/json, got {kind[:60] or 'none'}")
        try:
            async with asyncio.timeout(self._settings.body_seconds_max):
                return await self._read(receive)
        except TimeoutError:
            limit = self._settings.body_seconds_max
            raise Problem(408, f"the request did not come whole within {limit:g} seconds") from None

    async def _read(self, receive: Receive) -> bytes:
        """Return the body. One that is too large is read on for a while, and not kept, so that the client hears why."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            part = message.get("body", b"")
            size += len(part)
            if size <= self._settings.body_bytes_max:
                parts.append(part)
            if not message.get("more_body", False) or size > _DRAINED_BYTES_MAX:
                break
        if size > self._settings.body_bytes_max:
            raise Problem(413, f"the request is larger than {self._settings.body_bytes_max:,} bytes")
        body = b"".join(parts)
        refuse_half_characters(body)
        return body


def _headers(scope: Scope) -> dict[str, str]:
    """Return headers by their lower-case name. Raises Problem where one that decides comes twice."""
    found: dict[str, str] = {}
    for raw_name, raw in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        if name in found and name in ("host", "origin", "authorization", "content-type"):
            raise Problem(400, f"the header {name} comes twice")
        found[name] = raw.decode("latin-1").strip()
    return found


def _place(origin: str) -> str | None:
    """Return host and port of an origin; None where it is none."""
    try:
        return urllib.parse.urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    """Tell whether a host is an address: no name can be made to point to another one."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a channel that gives `body` first, and then what `receive` does: that the client is gone."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return first.pop() if first else await receive()

    return received
