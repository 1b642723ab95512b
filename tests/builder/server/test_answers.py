from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from starlette.types import Message

from python.builder.server.answers import Streamed


def test_a_stream_whose_client_leaves_ends_in_order() -> None:
    """A server logs what an application raises, with its stack; here is nothing to tell."""
    closed: list[bool] = []

    async def parts() -> AsyncGenerator[bytes, None]:
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async def work() -> list[Message]:
        sent: list[Message] = []
        begun = asyncio.Event()

        async def receive() -> Message:
            await begun.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)
            if message.get("body"):
                begun.set()

        await Streamed(parts(), "text/event-stream")({}, receive, send)
        return sent

    assert [message.get("body") for message in asyncio.run(work())] == [None, b"first"]
    assert closed == [True]
