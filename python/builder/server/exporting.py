"""A manifest as a connector's folder, in a zip. It is made by a process of its own: making it starts the connector."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile

import msgspec
from starlette.responses import Response

from python.builder.engine.environment import PASSED_ON
from python.builder.export.order import ExportError, Form, checked_name
from python.builder.server.answers import while_connected
from python.builder.server.asking import Call, engine_name, seconds
from python.builder.server.engines import interpreter
from python.builder.server.export_process import SENTENCE, Ask
from python.builder.server.models import Export
from python.builder.server.problems import Problem
from python.builder.server.recordings import folder_of

__all__ = ["export"]

_SECONDS_DEFAULT = 180.0  # a connector is started for its bindings, and once for each stream of a recording


async def export(call: Call[Export]) -> Response:
    """Answer with a zip."""
    ask = _ask(call)
    limit = _SECONDS_DEFAULT if call.ask.deadline is None else seconds(call.service.settings, call.ask.deadline)
    held = await while_connected(call.request.receive, _made(ask, limit))
    disposition = f'attachment; filename="{ask.name}.zip"'
    return Response(held, media_type="application/zip", headers={"Content-Disposition": disposition})


def _ask(call: Call[Export]) -> Ask:
    told = call.ask
    forms = [each.value for each in Form]
    if told.form not in forms:
        raise Problem(400, f"`form` is {told.form[:60]!r}: want one of {', '.join(forms)}")
    try:
        name = checked_name(told.name)
    except ExportError as error:
        raise Problem(400, str(error)) from None
    settings = call.service.settings
    return Ask(
        text=told.manifest,
        name=name,
        form=told.form,
        cdk=interpreter(settings, engine_name(call)),
        components=told.custom_components_code,
        config=told.config,
        recording=folder_of(settings, told.recording, "recording"),
        allow_custom_code=settings.allow_custom_code,
        lint=told.lint,
    )


async def _made(ask: Ask, limit: float) -> bytes:
    """Return what the process writes. It is killed, and its files removed, where nobody waits for it any more."""
    with tempfile.TemporaryDirectory(prefix="headwater-export-") as home:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "python.builder.server.export_process"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            env={**_passed(), "HOME": home, "TMPDIR": home},
        )
        try:
            async with asyncio.timeout(limit):
                made, complaint = await process.communicate(msgspec.json.encode(ask))
        except TimeoutError:
            raise Problem(400, f"the export took longer than {limit:g} seconds", details={"kind": "deadline"}) from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode == 0:
        return made
    if process.returncode == SENTENCE:
        raise Problem(400, complaint.decode(errors="replace").strip(), exception="ExportError")
    raise Problem(500, f"the export failed with status {process.returncode}")


def _passed() -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}
