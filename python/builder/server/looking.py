"""A manifest is looked over while its client waits: what is small at once, what may take long in a process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from python.builder.jobs import Json
from python.builder.server.answers import while_connected
from python.builder.server.asking import Call, engine_name, seconds
from python.builder.server.engines import interpreter
from python.builder.server.looks import LOOKS
from python.builder.server.problems import Problem
from python.builder.server.processes import Work, done

__all__ = ["looked"]

_MANIFEST_CHARACTERS_MAX = 2 * 1024 * 1024  # twice what Airbyte's largest manifest has
_SMALL_BYTES = {"import": 16 * 1024}  # which writes YAML with its comments, and is slow
_SMALL_BYTES_DEFAULT = 64 * 1024  # of a request: well below a second of work, whatever it holds
_WHAT = "looking over the manifest"


async def looked(call: Call[Any], kind: str) -> Json:
    """Return what LOOKS[kind] says of a request. Raises Problem where it says no, or takes longer than it may.

    Nothing goes on afterwards that costs more than a moment, nor when the client is gone.
    """
    ask = call.ask.model_dump(exclude={"config", "state", "context", "custom_components_code"})
    manifest = ask.get("manifest")
    if isinstance(manifest, str) and len(manifest) > _MANIFEST_CHARACTERS_MAX:
        most = f"want at most {_MANIFEST_CHARACTERS_MAX:,}"
        raise Problem(400, f"the manifest has {len(manifest):,} characters, {most}", prefix="Invalid manifest: ")
    limit = seconds(call.service.settings, ask.get("deadline"))
    size = len(await call.request.body())
    is_small = size <= _SMALL_BYTES.get(kind, _SMALL_BYTES_DEFAULT) and ask.get("zip") is None
    work = _at_once(call, kind, ask, limit) if is_small else _in_a_process(call, kind, ask, limit)
    return await while_connected(call.request.receive, work)


async def _at_once(call: Call[Any], kind: str, ask: Mapping[str, Any], limit: float) -> Json:
    try:
        async with asyncio.timeout(limit):
            cdk = await call.service.cdk(engine_name(call))
            return await asyncio.to_thread(LOOKS[kind], ask, cdk)
    except TimeoutError:
        raise Problem(400, f"{_WHAT} took longer than {limit:g} seconds", details={"kind": "deadline"}) from None


async def _in_a_process(call: Call[Any], kind: str, ask: Mapping[str, Any], limit: float) -> Json:
    cdk = interpreter(call.service.settings, engine_name(call))
    asked = json.dumps({"kind": kind, "cdk": cdk, "ask": ask}, default=str).encode()
    work = Work(module="python.builder.server.look_process", what=_WHAT, ask=asked)
    told = json.loads(await done(work, call.service.looks, limit))
    if "problem" in told:
        problem = told["problem"]
        raise Problem(problem["status"], problem["message"], **problem["members"])
    return told["answer"]
