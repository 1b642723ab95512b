"""Whether a version may follow the one before it: what breaks must be told, and the version must say so.

The classifier of `python.importing` finds what differs between the two specs and catalogs. What it calls major breaks
somebody; it needs a version whose first number says so (before 1.0.0, the second), and an entry in `breakingChanges`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec
import semver

from python.importing import report
from python.importing.comparing import compare
from python.importing.rule import Level
from python.importing.schemas import SchemaError
from python.importing.snapshots import Snapshot
from python.registry.metadata.documents import read
from python.registry.metadata.findings import Finding, Severity
from python.registry.metadata.models import ConnectorMetadata
from python.registry.metadata.numbering import Kind, kind_of, number
from python.registry.service.descriptions import snapshot
from python.registry.service.layout import CATALOG, CLOUD_SPEC, MARKER, SPEC, YANKED, At, found, versions_in
from python.registry.store import Store

__all__ = ["BREAKING", "Before", "judged", "previous"]

BREAKING = "breaking-change"
"""The rule of findings about what breaks without being told."""

_FINDINGS_MAX = 50  # as many as people read; the rest is counted
_Files: TypeAlias = Mapping[str, bytes]


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """The version that another one follows, and those of its files that tell what users have."""

    at: At
    files: _Files


def previous(store: Store, at: At) -> Before | None:
    """Return the newest release before the version `at`; None where there is none.

    Versions that are yanked, not finished or not released do not count.
    """
    mine = number(at.version)
    names = versions_in(store, at.repository)
    earlier = [each for version, files in names.items() if (each := _release(version, files)) and each < mine]
    if not earlier:
        return None
    before = At(at.repository, str(max(earlier)))
    wanted = (MARKER, SPEC, CLOUD_SPEC, CATALOG)
    return Before(
        at=before, files={name: data for name in wanted if (data := found(store, before.path(name))) is not None}
    )


def _release(version: str, files: frozenset[str]) -> semver.Version | None:
    if MARKER not in files or YANKED in files or not semver.Version.is_valid(version):
        return None
    return number(version) if kind_of(version) is Kind.RELEASE else None


def judged(before: Before | None, metadata: ConnectorMetadata, files: _Files) -> Iterator[Finding]:
    """Yield what keeps the version of `metadata` from following `before`, and what cannot be told.

    Of a version for trying things out, all are warnings. Raises DescriptionError.
    """
    at = At(metadata.data.docker_repository, metadata.data.docker_image_tag)
    now = snapshot(str(at), at.version, files)
    if now.spec is None:
        yield _finding("compatibility-unknown", "it has no spec.json, so nobody can tell what breaks", _GIVE, soft=True)
    if before is None:
        return
    soft = kind_of(at.version) is Kind.PRERELEASE
    yield from _another(before, metadata, soft=soft)
    was = snapshot(str(before.at), before.at.version, before.files)
    for sentence in _lost(was, now):
        yield _finding("compatibility-lost", f"{was.name} has {sentence}, and this version has none", _GIVE, soft=soft)
    breaking = list(_breaking(was, now, soft=soft))
    told = {each.message for each in breaking}
    clouds = _breaking(_clouds(before.at, before.files), _clouds(at, files), soft=soft)
    breaking += [
        msgspec.structs.replace(each, message=f"in the cloud: {each.message}")
        for each in clouds
        if each.message not in told
    ]
    if breaking and not _is_told(before.at.version, metadata):
        yield from breaking[:_FINDINGS_MAX]
        yield _lacking(before.at.version, at, len(breaking), soft=soft)


def _another(before: Before, metadata: ConnectorMetadata, *, soft: bool) -> Iterator[Finding]:
    """Tell of what makes it another connector: a platform knows it by its id alone."""
    value = read(before.files[MARKER]).value
    said = (value.get("data") if isinstance(value, dict) else None) or {}
    now = {"definitionId": metadata.data.definition_id, "connectorType": metadata.data.connector_type}
    for name, mine in now.items():
        if isinstance(said.get(name), str) and said[name].lower() != mine.lower():
            message = f"{before.at} has the {name} {said[name]}, and this version {mine}: users would lose it"
            fix = f"Write {said[name]}, or give another connector a dockerRepository of its own."
            yield _finding("another-connector", message, fix, soft=soft, pointer=f"/data/{name}")


def _clouds(at: At, files: _Files) -> Snapshot:
    """Return the spec of a version in the cloud's registry, which may have its own."""
    spec = files.get(CLOUD_SPEC) or files.get(SPEC)
    return snapshot(str(at), at.version, {} if spec is None else {SPEC: spec})


_GIVE = "Give it: spec.json and catalog.json beside metadata.yaml, or snapshots in its tests."


def _finding(rule: str, message: str, fix: str, *, soft: bool, pointer: str = "/data/dockerImageTag") -> Finding:
    severity = Severity.WARNING if soft else Severity.ERROR
    return Finding(rule=rule, pointer=pointer, message=message, fix=fix, severity=severity)


def _lost(before: Snapshot, now: Snapshot) -> Iterator[str]:
    if before.spec is not None and now.spec is None:
        yield "a spec"
    if before.runs and not now.runs:
        yield "a catalog"


def _breaking(before: Snapshot, now: Snapshot, *, soft: bool) -> Iterator[Finding]:
    try:
        compared = compare(*_both(before, now))
    except SchemaError as error:
        yield _finding("compatibility-unknown", str(error), "Shorten its schemas.", soft=soft)
        return
    for each in compared.differences:
        if each.level is Level.MAJOR:
            fix = f"Undo it, or tell it in breakingChanges ({each.rule})."
            yield _finding(BREAKING, report.sentence(each).rstrip("."), fix, soft=soft)


def _both(before: Snapshot, now: Snapshot) -> tuple[Snapshot, Snapshot]:
    """Return both with what both know: a part that only one has was told of already."""
    if before.spec is None or now.spec is None:
        return msgspec.structs.replace(before, spec=None), msgspec.structs.replace(now, spec=None)
    return before, now


def _is_told(old: str, metadata: ConnectorMetadata) -> bool:
    """Whether the version's number says that something breaks, and an entry says what."""
    data = metadata.data
    was, now = number(old), number(data.docker_image_tag).finalize_version()
    entries = (data.releases and data.releases.breaking_changes) or {}
    return _counts_breaks(was) < _counts_breaks(now) and any(was < number(each) <= now for each in entries)


def _counts_breaks(version: semver.Version) -> tuple[int, int]:
    return (version.major, 0 if version.major else version.minor)


def _lacking(old: str, at: At, count: int, *, soft: bool) -> Finding:
    was = number(old)
    wanted = was.bump_major() if was.major else was.bump_minor()
    many = f"{count} changes break" if count > 1 else "what has changed breaks"
    sentence = f"{many} users of {old}, and {at.version} does not say so"
    fix = f"Make it {wanted}, with releases.breakingChanges.{wanted}: an upgradeDeadline and a message."
    return _finding(BREAKING, sentence, fix, soft=soft)
