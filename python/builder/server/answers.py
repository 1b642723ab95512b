"""Responses: JSON, problems, and streams of events that end when the client is gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from python.builder.server.problems import Family, Problem, body

__all__ = ["Streamed", "answer", "encoded", "refusal", "while_connected"]

_T = TypeVar("_T")


def encoded(value: object) -> bytes:
    """Return `value` as JSON; what is no number there becomes null, and integers of any size stay."""
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:  # integers beyond 64 bits, half characters, very deep values
        return json.dumps(value, default=_plain).encode()


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


def answer(value: object, status: int = 200) -> Response:
    """Return a JSON response."""
    return Response(encoded(value), status_code=status, media_type="application/json")


def refusal(problem: Problem, family: Family) -> Response:
    """Return what `family` says of a problem."""
    response = answer(body(problem, family), problem.status)
    response.headers.update(problem.told.headers)
    return response


async def while_connected(receive: Receive, work: Coroutine[Any, Any, _T]) -> _T:
    """Return what `work` gives. It is cancelled, and ClientDisconnect raised, as soon as the client is gone."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientDisconnect
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Streamed(Response):
    """A response whose parts go out as they come; closing the connection closes `parts`."""

    def __init__(self, parts: AsyncGenerator[bytes, None], media_type: str) -> None:
        super().__init__(media_type=media_type, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the parts."""
        del scope
        try:
            await while_connected(receive, self._sent(send))
        except ClientDisconnect:  # nobody is left to tell anything
            return
        except asyncio.CancelledError:  # the server is being stopped: what was sent is whole as far as it goes
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _sent(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self._parts) as parts:
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
