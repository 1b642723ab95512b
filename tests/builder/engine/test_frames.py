from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any

import pytest

from python.builder.engine.frames import Link, SizeError, TextError
from python.builder.worker.channel import Channel


def conversation(sent: bytes, bytes_max: int = 1000, seconds: float = 5.0) -> list[Mapping[str, Any]]:
    """The frames that a server reads of `sent`, after which the worker closes its end if it is not empty."""

    async def read() -> list[Mapping[str, Any]]:
        ours, theirs = socket.socketpair()
        with theirs:
            link = await Link.open(ours)
            if sent:
                theirs.sendall(sent)
                theirs.close()
            try:
                return [each async for each in link.frames(bytes_max, time.monotonic() + seconds)]
            finally:
                link.close()

    return asyncio.run(read())


def frame(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def test_frames_come_until_the_worker_closes_its_end() -> None:
    assert conversation(frame(b'{"a":1}') + frame(b'{"b":2}')) == [{"a": 1}, {"b": 2}]


def test_half_a_frame_is_none() -> None:
    assert conversation(frame(b'{"a":1}') + frame(b'{"b":2}')[:-1]) == [{"a": 1}]


def test_a_frame_is_refused_by_its_length_before_it_is_read() -> None:
    with pytest.raises(SizeError, match="result_bytes of 1000"):
        conversation(struct.pack(">I", 1 << 30))


def test_a_worker_that_says_nothing_is_waited_for_until_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        conversation(b"", seconds=0.01)


def test_numbers_that_json_has_not_are_read() -> None:
    assert conversation(frame(b'{"a":NaN}'))[0]["a"] != 0


def test_a_worker_reads_what_a_server_sends() -> None:
    async def send(ours: socket.socket) -> None:
        link = await Link.open(ours)
        link.send({"manifest": {"é": [1, None]}})
        await asyncio.sleep(0)

    ours, theirs = socket.socketpair()
    with theirs:
        asyncio.run(send(ours))
        assert Channel(theirs).receive() == {"manifest": {"é": [1, None]}}


def test_a_server_reads_what_a_worker_sends() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Channel(theirs).send("event", {"large": 2**70})
        (size,) = struct.unpack(">I", ours.recv(4))
        assert json.loads(ours.recv(size)) == {"kind": "event", "data": {"large": 2**70}}


@pytest.mark.parametrize(
    ("frame", "place"),
    [
        ({"manifest": {}, "config": {"codes": ["a", "\ud800"]}}, "/config/codes/1"),
        ({"config": {"a\ud800": 1}}, r"/config/a\ud800"),
    ],
)
def test_half_a_surrogate_pair_is_refused_with_its_place(frame: Mapping[str, Any], place: str) -> None:
    async def send(ours: socket.socket) -> None:
        link = await Link.open(ours)
        try:
            link.send(frame)
        finally:
            link.close()

    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(TextError) as told:
        asyncio.run(send(ours))

    assert str(told.value).startswith(f"{place} holds half of a surrogate pair")


def test_what_has_come_is_read_also_when_the_deadline_is_over() -> None:
    async def read() -> list[Mapping[str, Any]]:
        ours, theirs = socket.socketpair()
        with theirs:
            link = await Link.open(ours)
            theirs.sendall(frame(b'{"a":1}') + frame(b'{"b":2}'))
            theirs.close()
            frames = link.frames(1000, time.monotonic() + 5)
            first = await anext(frames)
            late = link.frames(1000, time.monotonic() - 1)
            found = [first, await anext(late)]
            link.close()
            return found

    assert asyncio.run(read()) == [{"a": 1}, {"b": 2}]
