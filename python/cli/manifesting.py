"""What the commands of `headwater manifest` do."""

from __future__ import annotations

from pathlib import Path

from python.builder.manifests import cdk as cdks
from python.builder.manifests import compatibility
from python.builder.manifests.documents import DocumentError
from python.builder.manifests.findings import Severity, as_table, worst
from python.builder.manifests.findings import as_json as json_of
from python.builder.manifests.gathering import gathered
from python.builder.manifests.linting import lint, opened, read
from python.protocol.errors import HeadwaterError

__all__ = ["checked", "linted"]


def linted(source: Path, cdk: str | None, *, strict: bool, as_json: bool) -> tuple[str, bool]:
    """Return what to print of the manifest at `source`, and whether it is well. Raises HeadwaterError."""
    allowed = cdks.installed(cdk)
    found = gathered(source)
    findings = lint(found.text, allowed, found.connection_specification)
    told = json_of(found.path, allowed.version, findings) if as_json else as_table(found.path, findings)
    return told, worst(findings) not in ((Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,))


def checked(source: Path, cdk: str | None, *, as_json: bool) -> tuple[str, bool]:
    """Return what the manifest at `source` does, to print, and whether all is built in. Raises HeadwaterError."""
    allowed = cdks.installed(cdk)
    found = gathered(source)
    try:
        document = opened(found.text)
    except DocumentError as error:
        raise HeadwaterError(f"{found.path}: {error}") from None
    reading = read(document, allowed, found.connection_specification)
    rows = compatibility.compatibility(reading, allowed, found.components)
    told = (compatibility.as_json if as_json else compatibility.as_table)(found.path, allowed.version, rows)
    return told, compatibility.is_compatible(rows)
