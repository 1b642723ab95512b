"""A request's manifest, opened and looked over before any CDK sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from python.builder.manifests.cdk import Cdk
from python.builder.manifests.documents import DocumentError
from python.builder.manifests.findings import Finding, Severity
from python.builder.manifests.linting import lint, opened
from python.builder.server.problems import Problem

__all__ = ["Opened", "as_log", "opened_manifest", "plain_findings", "told"]

_NAMED_MAX = 3  # findings in the sentence; `details` have them all
_MIGRATE = "__should_migrate"
_NORMALIZE = "__should_normalize"


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest without the builder's own flags, and what is to be told of it."""

    value: Mapping[str, Any]
    found: tuple[Finding, ...] = ()
    migrate: bool = False
    normalize: bool = False


def opened_manifest(manifest: Mapping[str, Any] | str, cdk: Cdk, *, strict: bool = True) -> Opened:
    """Return a manifest as a value, with what the linter finds. Raises Problem for errors where `strict`.

    Findings are those of `headwater manifest lint`. A text that is no YAML object is refused in any case.
    """
    text = manifest if isinstance(manifest, str) else _without_flags(manifest)
    found = tuple(lint(text, cdk))
    try:
        value = opened(text).value
    except DocumentError:
        raise _refused(found) from None
    if strict and any(each.severity is Severity.ERROR for each in found):
        raise _refused(found)
    flags = value if isinstance(manifest, str) else manifest
    return Opened(
        value=msgspec.to_builtins(_without_flags(value), str_keys=True),  # dates of YAML become texts
        found=found,
        migrate=flags.get(_MIGRATE) is True,
        normalize=flags.get(_NORMALIZE) is True,
    )


def _without_flags(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in manifest.items() if name not in (_MIGRATE, _NORMALIZE)}


def _refused(found: tuple[Finding, ...]) -> Problem:
    errors = [each for each in found if each.severity is Severity.ERROR]
    more = f"; and {len(errors) - _NAMED_MAX} more" if len(errors) > _NAMED_MAX else ""
    sentence = "; ".join(told(each) for each in errors[:_NAMED_MAX]) + more
    details = {"findings": plain_findings(found)}
    return Problem(400, sentence, prefix="Invalid manifest: ", details=details, exception="InvalidManifest")


def told(found: Finding) -> str:
    """Return a finding as a sentence, with its place."""
    place = f"line {found.line}, column {found.column}: " if found.line else ""
    return f"{place}{found.at or '/'}: {found.message} [{found.rule}]"


def plain_findings(found: tuple[Finding, ...] | list[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain values, for JSON."""
    plain: list[dict[str, Any]] = msgspec.to_builtins(found, enc_hook=str, builtin_types=())
    return plain


def as_log(found: Finding) -> dict[str, Any]:
    """Return a finding as an entry of a test read's logs."""
    level = "ERROR" if found.severity is Severity.ERROR else "WARN"
    return {"level": level, "message": told(found), "internal_message": None, "stacktrace": None}
