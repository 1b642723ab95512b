"""A manifest as a connector's folder, in a zip. It is made by a process of its own: making it starts the connector."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from python.builder.export.order import ExportError, Form, checked_name
from python.builder.server.answers import while_connected
from python.builder.server.asking import Call, engine_name, seconds
from python.builder.server.engines import interpreter
from python.builder.server.export_process import Ask
from python.builder.server.models import Export
from python.builder.server.problems import Problem
from python.builder.server.processes import Work, done
from python.builder.server.recordings import folder_of

__all__ = ["export"]

_SECONDS_DEFAULT = 180.0  # a connector is started for its bindings, and once for each stream of a recording


async def export(call: Call[Export]) -> Response:
    """Answer with a zip of the connector's folder, and of a report beside it that says what could not be done."""
    ask = _ask(call)
    limit = _SECONDS_DEFAULT if call.ask.deadline is None else seconds(call.service.settings, call.ask.deadline)
    work = Work(
        module="python.builder.server.export_process",
        what="the export",
        ask=msgspec.json.encode(ask),
        exception="ExportError",
    )
    held = await while_connected(call.request.receive, done(work, call.service.exports, limit))
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
