"""A connector's next release: its VERSION, its CHANGELOG and its README, from what it was and what it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from python.importing import changelog, config_pages, report
from python.importing.comparing import Comparison, compare
from python.importing.rule import Level
from python.importing.snapshots import Snapshot
from python.importing.versions import next_version, verdict

__all__ = ["FIRST_VERSION", "Files", "Release", "lacking", "planned"]

FIRST_VERSION = "v1"

_FIRST = "- First version."
_INNER = "- Nothing in its spec, its bindings or its documents has changed."


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """A connector's folder at one moment: what its tests keep, its VERSION among that, and two of its pages."""

    snapshot: Snapshot
    changelog: str = ""
    readme: str = ""


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder's files are to be. `comparison` is with the last release, None where there was none."""

    version: str
    changelog: str
    readme: str
    comparison: Comparison | None


def planned(now: Files, last: Files | None, date: str) -> Release:
    """Return the release of `now` on `date` (as 2026-11-21); `last` is as the last release left the folder.

    VERSION is raised by what has changed, unless somebody raised it that far already. What people wrote in the
    CHANGELOG comes before what is found; where there is nothing to tell, it stays as it is. Raises VersionError where
    a VERSION cannot be read.
    """
    compared = compare(last.snapshot, now.snapshot) if last else None
    version = _version(now, compared)
    found = list(_lines(compared)) if compared else [_FIRST]
    old = last.changelog if last else ""
    title = f"{version}, {date}"
    silent = compared is not None and not compared.differences and _is_told(now, version, old)
    spec = now.snapshot.spec or {}
    lacks = config_pages.unnamed(now.readme, spec) or config_pages.BEGIN in now.readme
    return Release(
        version=version,
        changelog=now.changelog if silent else _dated(now.changelog, old, title, found),
        readme=config_pages.with_tables(now.readme, spec) if lacks else now.readme,
        comparison=compared,
    )


def _version(now: Files, compared: Comparison | None) -> str:
    mine = now.snapshot.version or FIRST_VERSION
    if compared is None or compared.old.version is None:
        return mine
    raised = msgspec.structs.replace(compared, new=msgspec.structs.replace(compared.new, version=mine))
    return mine if verdict(raised).enough else next_version(compared.old.version, compared.level)


def _is_told(now: Files, version: str, old: str) -> bool:
    """Return whether the CHANGELOG has a section of `version`, and nothing in it waits for a release."""
    waits = any(each.version or each.lines for each in changelog.waiting(now.changelog, old))
    return not waits and any(each.version == version for each in changelog.sections(now.changelog))


def _dated(text: str, old: str, title: str, found: Sequence[str]) -> str:
    """Return the CHANGELOG with the release on top; that nothing changed is left out where people tell what did."""
    told = [line for section in changelog.waiting(text, old) for line in section.lines]
    return changelog.with_release(
        text, old, title, [line for line in found if line not in (_INNER, _FIRST) or not told]
    )


def _lines(compared: Comparison) -> Iterator[str]:
    """Yield a line for each change that users notice, the gravest first."""
    for each in compared.differences:
        if each.level is not Level.PATCH:
            yield f"- {report.sentence(each)}"
    if all(each.level is Level.PATCH for each in compared.differences):
        yield _INNER


def lacking(now: Files, last: Files | None) -> Iterator[str]:
    """Yield what keeps `now` from being released as it is, a sentence each: VERSION, CHANGELOG, README, snapshots.

    Raises VersionError where a VERSION cannot be read.
    """
    if now.snapshot.spec is None:
        yield "its tests keep no snapshot of spec, so nobody can say what changes"
    if last is not None:
        judged = verdict(compare(last.snapshot, now.snapshot))
        if not judged.enough:
            yield judged.sentence
    yield from _untold(now, last)
    unnamed = config_pages.unnamed(now.readme, now.snapshot.spec or {})
    if unnamed:
        yield f"README.md does not name {', '.join(unnamed)} of its config"
    elif (
        config_pages.BEGIN in now.readme and config_pages.with_tables(now.readme, now.snapshot.spec or {}) != now.readme
    ):
        yield "README.md has tables of its config that are not what the spec says"


def _untold(now: Files, last: Files | None) -> Iterator[str]:
    """Yield where there is no VERSION, or the CHANGELOG is silent: on this VERSION, or on what has changed."""
    found = changelog.sections(now.changelog)
    version = now.snapshot.version
    if not version:
        yield f"it has no VERSION: headwater release {now.snapshot.name} writes it, and the section of CHANGELOG.md"
        return
    if not any(each.version == version for each in found):
        yield f"CHANGELOG.md has no section for {version}"
        return
    silent = last is not None and found == changelog.sections(last.changelog)
    if last is not None and silent and compare(last.snapshot, now.snapshot).differences:
        yield "CHANGELOG.md says nothing of what has changed since the last release"
