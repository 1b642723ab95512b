"""Frames between the server and the process of one job: four bytes of length, big-endian, then JSON."""

from __future__ import annotations

import importlib
import json
import socket
import struct

from .kinds import Json

__all__ = ["Channel", "encode"]


class Channel:
    """One end of a job's socket. The server sends one frame, the job; the process events, and the outcome last."""

    def __init__(self, connection: socket.socket) -> None:
        """Take over `connection`, which blocks."""
        self._connection = connection

    def receive(self) -> dict[str, Json] | None:
        """Return the next frame; None if the server has gone."""
        header = self._exactly(4)
        body = self._exactly(struct.unpack(">I", header)[0]) if header else None
        if body is None:
            return None
        frame: dict[str, Json] = json.loads(body)
        return frame

    def send(self, kind: str, data: Json) -> None:
        """Send one frame. Raise BrokenPipeError if the server has gone, which ends the process."""
        body = encode({"kind": kind, "data": data})
        self._connection.sendall(struct.pack(">I", len(body)) + body)

    def _exactly(self, size: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < size:
            part = self._connection.recv(min(size - len(parts), 1 << 20))
            if not part:
                return None
            parts += part
        return bytes(parts)


def encode(value: Json) -> bytes:
    """Return `value` as JSON. What JSON has no word for becomes its text; NaN becomes null where orjson is there."""
    try:
        return _orjson(value)
    except (ImportError, TypeError, ValueError):  # no orjson, or an integer of more than 64 bits
        return json.dumps(value, default=str).encode(errors="replace")


def _orjson(value: Json) -> bytes:
    orjson = importlib.import_module("orjson")
    text: bytes = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    return text
