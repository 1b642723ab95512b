"""A report as Markdown, for a pull request or a chat, and as JSON, for other programs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from python.registry.generation.plans import Change
from python.registry.reports.report import Report, Row

__all__ = ["as_json", "as_markdown", "change_sentence"]

_WITH_REASON = ("quarantined", "noted")
_SPECIAL = re.compile(r"([\\`*_\[\]|~])")  # what Markdown takes for more than text, but for `<`
_COLUMNS = ("Connector", "Image", "Version", "Type", "Support", "Language", "Registries")


def as_json(report: Report) -> bytes:
    """Return all of `report`, indented."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def as_markdown(report: Report) -> str:
    """Return `report` as a page: what is wrong first, then what changed, then every connector."""
    return "\n".join(_lines(report)) + "\n"


def change_sentence(change: Change) -> str:
    """Return a change in one line, without Markdown.

    >>> change_sentence(Change(repository="a/b", what="changed", old="1.0.0", new="1.1.0"))
    'a/b changed: 1.0.0 → 1.1.0'
    """
    moved = f"{change.old} → {change.new}" if change.old and change.new and change.old != change.new else change.new
    told = change.why if change.what in _WITH_REASON else moved if change.what != "removed" else change.old
    return f"{change.repository} {change.what}" + (f": {told}" if told else "")


def _lines(report: Report) -> Iterator[str]:
    counts = ", ".join(f"{count:,} in {registry}" for registry, count in report.counts.items())
    yield f"# Connector registry: {counts}"
    yield ""
    yield f"Snapshot `{report.snapshot}`, {report.made:%Y-%m-%d %H:%M} UTC."
    if report.hold:
        yield f"**Held by a rollback** since {report.hold.since:%Y-%m-%d %H:%M} UTC: {_escaped(report.hold.reason)}"
    yield from _section("Quarantined", [f"{_named(row)}: {_escaped(row.problem or '')}" for row in report.quarantined])
    warnings = [f"{_named(row)}: {_escaped(warning)}" for row in report.warned for warning in row.warnings]
    yield from _section("Warnings", warnings)
    yield from _section("Changes", [_escaped(change_sentence(change)) for change in report.changes])
    yield from ("", "## Connectors", "", f"| {' | '.join(_COLUMNS)} |", f"|{' --- |' * len(_COLUMNS)}")
    for row in report.rows:
        version = f"{row.version} ({row.candidate})" if row.candidate else row.version or "none"
        others = (version, row.kind, row.support_level, row.language, ", ".join(row.registries))
        yield f"| {' | '.join((_escaped(row.name), _code(row.repository), *map(_escaped, others)))} |"


def _section(title: str, items: list[str]) -> Iterator[str]:
    if items:
        yield from ("", f"## {title}", "", *(f"- {item}" for item in items))


def _named(row: Row) -> str:
    if not row.version:
        return f"{_code(row.repository)} (in no registry)"
    return _code(row.repository) + (f" (stays at {row.version})" if row.problem else "")


def _code(name: str) -> str:
    """Return a name as code. Marks that code cannot have are none of an image's name."""
    return f"`{' '.join(name.split()).replace('`', '?').replace('|', '?')}`"


def _escaped(text: str) -> str:
    """Return text of strangers for a line: no mark-up of theirs is left in it, and nobody is called."""
    told = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return told.replace("<", "&lt;").replace("@", "&#64;")
