"""The server's end of a job's socket. What the worker sends is bounded before it is read: see `worker/channel.py`."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Mapping

import msgspec

from python.builder.jobs import Json

__all__ = ["Link", "SizeError", "TextError"]

_OVERHEAD_BYTES = 1 << 20  # a failure, and the names around a result


class SizeError(Exception):
    """A frame is larger than the job may answer."""


class TextError(Exception):
    """A text is no Unicode; the message says which."""


class Link:
    """A connected socket, as frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take over both directions of one socket."""
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, connection: socket.socket) -> Link:
        """Return a link over `connection`, which belongs to it from now on."""
        return cls(*await asyncio.open_connection(sock=connection))

    def send(self, frame: Mapping[str, Json]) -> None:
        """Send one frame, while the process reads. Raises RecursionError where it is nested too deeply, TextError."""
        try:
            body = msgspec.json.encode(frame)
        except UnicodeEncodeError:
            raise TextError(
                f"{_place_of_no_text(frame)} holds half of a surrogate pair, which is no character: "
                "write the character itself, or both halves"
            ) from None
        self._writer.write(struct.pack(">I", len(body)) + body)

    async def frames(self, bytes_max: int, deadline: float) -> AsyncIterator[Mapping[str, Json]]:
        """Yield frames until the process closes its end. Raises SizeError, and TimeoutError when `deadline` is over."""
        try:
            while True:
                async with asyncio.timeout(deadline - time.monotonic()):  # what has come is read also when it is over
                    body = await self._body(bytes_max)
                yield _decoded(body)
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    async def _body(self, bytes_max: int) -> bytes:
        (size,) = struct.unpack(">I", await self._reader.readexactly(4))
        if size > bytes_max + _OVERHEAD_BYTES:
            raise SizeError(f"the answer has {size} bytes, more than the limit result_bytes of {bytes_max}")
        return await self._reader.readexactly(size)

    def close(self) -> None:
        """Close the socket; what was not sent is dropped."""
        self._writer.transport.abort()


def _decoded(body: bytes) -> Mapping[str, Json]:
    try:
        told: Mapping[str, Json] = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):  # NaN, or nesting that the standard library bears
        told = json.loads(body)
    return told


def _place_of_no_text(frame: Json) -> str:
    """Return the pointer of a text in `frame` that cannot be encoded; of the value, where it is its key."""
    left: list[tuple[str, Json]] = [("", frame)]
    while left:
        at, part = left.pop()
        if isinstance(part, Mapping):
            left += [(f"{at}/{_shown(key)}", inner) for key, inner in part.items()]
            left += [(f"{at}/{_shown(key)}", key) for key in part]
        elif isinstance(part, list | tuple):
            left += [(f"{at}/{index}", inner) for index, inner in enumerate(part)]
        elif isinstance(part, str) and _shown(part) != part:
            return at
    return "/"


def _shown(text: str) -> str:
    """Return `text` with escapes for what is no character."""
    return text.encode(errors="backslashreplace").decode()
