"""Test reads: of one stream as Airbyte's servers have them, of several at once, and as a stream of events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from starlette.responses import Response

from python.builder.jobs import Command, Job, Limits
from python.builder.server.answers import Streamed, answer, encoded, while_connected
from python.builder.server.asking import Call
from python.builder.server.models import ManifestTestRead, Read, ReadMany, StreamReadRequest
from python.builder.server.problems import MANIFEST_SERVER, Problem, body
from python.builder.server.questions import Question, question
from python.builder.server.recordings import folder_of
from python.builder.server.results import READ_MEMBERS
from python.builder.server.service import Reading, Told
from python.builder.server.streams import stream_names

__all__ = ["read_many", "read_one"]

_CAPS: Mapping[str, int] = {"record": 5000, "page": 20, "slice": 20}
_MEDIA = ("text/event-stream", "application/x-ndjson")


async def read_one(call: Call[StreamReadRequest | ManifestTestRead]) -> Response:
    """Answer with a StreamRead, or with the events until it."""
    ask = call.ask
    stream = ask.stream if isinstance(ask, StreamReadRequest) else ask.stream_name
    if stream is None:
        raise Problem(400, "`stream` is missing: name the stream to read")
    return await _answered(call, await question(call), [stream], many=False)


async def read_many(call: Call[ReadMany]) -> Response:
    """Answer with a StreamRead or an error for each stream, or with the events until them."""
    asked = await question(call)
    streams = call.ask.streams or stream_names(asked.opened.value)
    if not streams:
        raise Problem(400, "the manifest names no streams: say which to read in `streams`")
    if call.ask.record is not None and len(streams) > 1:
        raise Problem(400, "`record` takes one stream: a recording holds the exchanges of one read")
    return await _answered(call, asked, list(dict.fromkeys(streams)), many=True)


async def _answered(call: Call[Any], asked: Question, streams: Sequence[str], *, many: bool) -> Response:
    job = _job(call, asked)
    readings = [
        Reading(
            job=msgspec.structs.replace(job, stream=stream),
            engine=asked.engine,
            found=asked.opened.found,
            masker=asked.masker,
            refused=partial(body, family=call.family),
        )
        for stream in streams
    ]
    media = _media(call.request.headers.get("accept", ""))
    if media is not None:
        return Streamed(_frames(call, readings, media), media)
    lasts = await while_connected(call.request.receive, _lasts(call, readings))
    if not many:
        told = lasts[streams[0]]
        return answer(_whole(call, told), told.status)
    return answer({"reads": [_of_many(lasts[stream]) for stream in streams]})


async def _lasts(call: Call[Any], readings: Sequence[Reading]) -> dict[str, Told]:
    return {told.stream: told async for told in call.service.reads(readings, live=False) if told.is_last}


async def _frames(call: Call[Any], readings: Sequence[Reading], media: str) -> AsyncGenerator[bytes, None]:
    """Yield each event as a line of JSON, or as an event of a stream whose data is that line."""
    async for told in call.service.reads(readings, live=True):
        value = {"event": told.event, "stream": told.stream, "status": told.status, "data": _whole(call, told)}
        line = encoded(value)
        yield line + b"\n" if media == _MEDIA[1] else b"event: " + told.event.encode() + b"\ndata: " + line + b"\n\n"


def _whole(call: Call[Any], told: Told) -> Any:  # noqa: ANN401 -- JSON
    """Return what was told, with every member that the family of paths promises."""
    if told.event == "result" and call.family is MANIFEST_SERVER:
        return {**dict.fromkeys(READ_MEMBERS), **told.data}
    return told.data


def _of_many(told: Told) -> dict[str, Any]:
    return {"stream": told.stream, "status": told.status, "read" if told.event == "result" else "error": told.data}


def _media(accepted: str) -> str | None:
    asked = [each.partition(";")[0].strip().lower() for each in accepted.split(",")]
    return next((each for each in asked if each in _MEDIA), None)


def _job(call: Call[Any], asked: Question) -> Job:
    ask: Read = call.ask
    limits = {name: getattr(ask, f"{name}_limit") for name in _CAPS}
    for name, cap in _CAPS.items():
        if (limits[name] or 0) > cap:
            raise Problem(400, f"Requested {name} limit of {limits[name]} exceeds maximum of {cap}.")
    if ask.custom_components_code is not None and not call.service.settings.allow_custom_code:
        raise Problem(
            400,
            "custom components are not allowed here: start the server with --allow-custom-code, "
            "or with AIRBYTE_ENABLE_UNSAFE_CODE=true",
            prefix="Error reading stream: ",
            details={"kind": "custom code"},
        )
    told = {f"{name}s": limit for name, limit in limits.items() if limit is not None}
    return Job(
        command=Command.TEST_READ,
        manifest=asked.opened.value,
        config=ask.config,
        state=ask.state or (),
        components_py=ask.custom_components_code,
        migrate=asked.opened.migrate,
        normalize=asked.opened.normalize,
        limits=Limits(seconds=asked.seconds_left(), **told),
        record=folder_of(call.service.settings, ask.record, "record"),
        replay=folder_of(call.service.settings, ask.replay, "replay"),
    )
