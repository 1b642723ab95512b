"""Routes that run a manifest, but do not read: resolve, check, discover, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from python.builder.jobs import Command, Job, Json, Limits
from python.builder.server.answers import answer, while_connected
from python.builder.server.asking import Call
from python.builder.server.models import Configured, FullResolve, ListStreams, Manifest, ManifestFullResolve
from python.builder.server.problems import Problem
from python.builder.server.questions import Question, question
from python.builder.server.streams import stream_urls
from python.protocol import pointer

__all__ = ["check", "discover", "full_resolve", "list_streams", "migrate", "resolve"]

_STREAMS_MAX = 100
_CHANGES_MAX = 1000


async def resolve(call: Call[Manifest]) -> Response:
    """Answer with the manifest, its references followed."""
    asked = await question(call)
    told = await _ran(call, asked, _job(call, asked, Command.RESOLVE))
    return answer({"manifest": _manifest(asked, told)})


async def full_resolve(call: Call[FullResolve | ManifestFullResolve]) -> Response:
    """Answer with the manifest and the streams that its templates make."""
    limit = call.ask.stream_limit or _STREAMS_MAX
    if limit > _STREAMS_MAX:
        raise Problem(400, f"Requested stream limit of {limit} exceeds maximum of {_STREAMS_MAX}.")
    asked = await question(call)
    told = await _ran(call, asked, _job(call, asked, Command.FULL_RESOLVE, limit))
    return answer({"manifest": _manifest(asked, told)})


async def check(call: Call[Configured]) -> Response:
    """Answer whether the config works."""
    asked = await question(call)
    told = await _ran(call, asked, _job(call, asked, Command.CHECK))
    return answer(asked.masker.mask({"success": bool(told.get("success")), "message": told.get("message")}))


async def discover(call: Call[Configured]) -> Response:
    """Answer with the catalog. Without one, 422, as of manifest_server."""
    asked = await question(call)
    told = await _ran(call, asked, _job(call, asked, Command.DISCOVER))
    if not told.get("catalog"):
        raise Problem(422, "the manifest has no catalog", prefix="Error discovering streams: ")
    return answer(asked.masker.mask({"catalog": told["catalog"]}, by_place=False))


async def list_streams(call: Call[ListStreams]) -> Response:
    """Answer with name and URL of each stream; those of templates too, which takes their requests."""
    asked = await question(call)
    command = Command.FULL_RESOLVE if asked.opened.value.get("dynamic_streams") else Command.RESOLVE
    told = await _ran(call, asked, _job(call, asked, command))
    return answer({"streams": asked.masker.mask(stream_urls(told["manifest"], call.ask.config))})


async def migrate(call: Call[Manifest]) -> Response:
    """Answer with the manifest in the newest form of its CDK, and with each place that changed."""
    asked = await question(call)
    before, after = [await _ran(call, asked, _job(call, asked, Command.RESOLVE, migrate=to)) for to in (False, True)]
    changes = list(_changes(before["manifest"], after["manifest"], ()))[:_CHANGES_MAX]
    return answer({"manifest": after["manifest"], "changes": changes})


async def _ran(call: Call[Any], asked: Question, job: Job) -> Json:
    return await while_connected(call.request.receive, call.service.result(asked.engine, job, asked.masker))


def _job(
    call: Call[Any], asked: Question, command: Command, streams: int = _STREAMS_MAX, *, migrate: bool = False
) -> Job:
    return Job(
        command=command,
        manifest=asked.opened.value,
        config=getattr(call.ask, "config", {}),
        migrate=migrate or asked.opened.migrate,
        normalize=asked.opened.normalize,
        limits=Limits(streams=streams, seconds=asked.seconds_left()),
    )


def _manifest(asked: Question, told: Json) -> Json:
    """Return the manifest of a result without values of the config; what its author wrote stays."""
    return asked.masker.mask(told["manifest"], by_place=False)


def _changes(before: Json, after: Json, at: tuple[str, ...]) -> Iterator[dict[str, Json]]:
    """Yield where two manifests differ: the place, and what was there and is now, where there is something."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            here = (*at, name)
            if name not in after:
                yield {"at": pointer.join(here), "was": before[name]}
            elif name not in before:
                yield {"at": pointer.join(here), "now": after[name]}
            else:
                yield from _changes(before[name], after[name], here)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _changes(one, other, (*at, str(index)))
    elif before != after:
        yield {"at": pointer.join(at), "was": before, "now": after}
