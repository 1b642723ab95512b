"""Routes that look at a manifest and run nothing: the commands of `headwater manifest`, over HTTP."""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import msgspec
from starlette.responses import Response

from python.builder.manifests import compatibility
from python.builder.manifests.cdk import Cdk
from python.builder.manifests.documents import DocumentError
from python.builder.manifests.findings import as_json
from python.builder.manifests.gathering import Gathered, gathered_zip
from python.builder.manifests.importing import imported
from python.builder.manifests.linting import lint as linted
from python.builder.manifests.linting import opened, read
from python.builder.server.answers import answer
from python.builder.server.asking import Call, cdk_of
from python.builder.server.models import Import, Lint, Tool
from python.builder.server.problems import Problem
from python.protocol.errors import HeadwaterError

__all__ = ["compatibility_of", "import_", "lint"]

_NAME = "manifest.yaml"


async def lint(call: Call[Lint]) -> Response:
    """Answer with the findings of `headwater manifest lint --json`."""
    cdk = await cdk_of(call)
    found = await asyncio.to_thread(linted, call.ask.manifest, cdk, call.ask.spec)
    return answer(json.loads(as_json(_NAME, cdk.version, found)))


async def compatibility_of(call: Call[Tool]) -> Response:
    """Answer with the report of `headwater manifest check --json`."""
    return answer(await asyncio.to_thread(_report, call.ask.manifest, await cdk_of(call)))


def _report(manifest: Mapping[str, Any] | str, cdk: Cdk) -> dict[str, Any]:
    try:
        reading = read(opened(manifest), cdk)
    except DocumentError as error:
        raise _unreadable(error) from None
    rows = compatibility.compatibility(reading, cdk, None)
    told: dict[str, Any] = json.loads(compatibility.as_json(_NAME, cdk.version, rows))
    return {**told, "compatible": compatibility.is_compatible(rows)}


async def import_(call: Call[Import]) -> Response:
    """Answer with a manifest that stands for itself, and what was done, as `headwater manifest import` does."""
    return answer(await asyncio.to_thread(_imported, call.ask, await cdk_of(call)))


def _imported(ask: Import, cdk: Cdk) -> dict[str, Any]:
    try:
        done = imported(_gathered(ask), cdk, flatten=ask.flatten_config, values=ask.values)
    except HeadwaterError as error:
        raise _unreadable(error) from None
    notes = msgspec.to_builtins(done.notes)
    return {"manifest": done.text, "components": done.components, "values": done.values, "notes": notes}


def _gathered(ask: Import) -> Gathered:
    given = [each for each in (ask.manifest, ask.files, ask.zip) if each is not None]
    if len(given) != 1:
        raise Problem(400, "want one of `manifest` (a text), `files` (texts by path) and `zip` (base64)")
    if ask.manifest is not None:
        return Gathered(path=_NAME, text=ask.manifest)
    if ask.files is not None:
        return gathered_zip("files", _zipped(ask.files))
    try:
        return gathered_zip("zip", base64.b64decode(ask.zip or "", validate=True))
    except binascii.Error:
        raise Problem(400, "`zip` is no base64") from None


def _zipped(files: Mapping[str, str]) -> bytes:
    """Return the files as a zip, since what may lie in a zip, and how much, is judged already."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in files.items():
            archive.writestr(str(PurePosixPath(name)), text)
    return held.getvalue()


def _unreadable(error: HeadwaterError) -> Problem:
    return Problem(400, str(error), prefix="Invalid manifest: ", exception="InvalidManifest")
