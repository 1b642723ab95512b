"""What the commands of `headwater manifest` do."""

from __future__ import annotations

from pathlib import Path

from python.builder.manifests import cdk as cdks
from python.builder.manifests.findings import Severity, as_table, worst
from python.builder.manifests.findings import as_json as json_of
from python.builder.manifests.gathering import gathered
from python.builder.manifests.linting import lint

__all__ = ["linted"]


def linted(source: Path, cdk: str | None, *, strict: bool, as_json: bool) -> tuple[str, bool]:
    """Return what to print of the manifest at `source`, and whether it is well. Raises HeadwaterError."""
    allowed = cdks.installed(cdk)
    found = gathered(source)
    findings = lint(found.text, allowed, found.connection_specification)
    told = json_of(found.path, allowed.version, findings) if as_json else as_table(found.path, findings)
    return told, worst(findings) not in ((Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,))
