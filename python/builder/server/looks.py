"""What is said of a manifest that is not run, by name: plain values in and out, so that a process can do it."""

from __future__ import annotations

import base64
import binascii
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

import msgspec

from python.builder.jobs import Json
from python.builder.manifests import compatibility
from python.builder.manifests.cdk import Cdk
from python.builder.manifests.documents import DocumentError
from python.builder.manifests.findings import as_json
from python.builder.manifests.gathering import Gathered, gathered_zip
from python.builder.manifests.importing import imported
from python.builder.manifests.linting import lint, opened, read
from python.builder.server.opening import opened_manifest
from python.builder.server.problems import Problem
from python.protocol.errors import HeadwaterError

__all__ = ["LOOKS"]

_NAME = "manifest.yaml"
_Members = Mapping[str, Any]


def _opened(ask: _Members, cdk: Cdk) -> Json:
    made = opened_manifest(ask["manifest"], cdk, strict=ask["lint"])
    return msgspec.to_builtins(made, enc_hook=str, builtin_types=(), str_keys=True)


def _lint(ask: _Members, cdk: Cdk) -> Json:
    return json.loads(as_json(_NAME, cdk.version, lint(ask["manifest"], cdk, ask["spec"])))


def _report(ask: _Members, cdk: Cdk) -> Json:
    try:
        reading = read(opened(ask["manifest"]), cdk)
    except DocumentError as error:
        raise _unreadable(error) from None
    rows = compatibility.compatibility(reading, cdk, None)
    told: dict[str, Any] = json.loads(compatibility.as_json(_NAME, cdk.version, rows))
    return {**told, "compatible": compatibility.is_compatible(rows)}


def _imported(ask: _Members, cdk: Cdk) -> Json:
    try:
        done = imported(_gathered(ask), cdk, flatten=ask["flatten_config"], values=ask["values"])
    except HeadwaterError as error:
        raise _unreadable(error) from None
    notes = msgspec.to_builtins(done.notes)
    return {"manifest": done.text, "components": done.components, "values": done.values, "notes": notes}


def _gathered(ask: _Members) -> Gathered:
    given = [name for name in ("manifest", "files", "zip") if ask[name] is not None]
    if len(given) != 1:
        raise Problem(400, "want one of `manifest` (a text), `files` (texts by path) and `zip` (base64)")
    if ask["manifest"] is not None:
        return Gathered(path=_NAME, text=ask["manifest"])
    if ask["files"] is not None:
        return gathered_zip("files", _zipped(ask["files"]))
    try:
        return gathered_zip("zip", base64.b64decode(ask["zip"], validate=True))
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


LOOKS: Mapping[str, Callable[[_Members, Cdk], Json]] = {
    "open": _opened,
    "lint": _lint,
    "check": _report,
    "import": _imported,
}
"""Each takes the members of a request, and raises Problem where it says no."""
