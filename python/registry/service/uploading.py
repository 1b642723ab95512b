"""Upload: a connector's files, checked by every rule, become a version in the bucket, or nothing changes."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Iterator, Sequence

import msgspec

from python.protocol import pointer
from python.registry.metadata.checking import placed
from python.registry.metadata.findings import Finding, Severity, errors
from python.registry.metadata.models import ConnectorMetadata
from python.registry.metadata.numbering import Kind, kind_of, number
from python.registry.metadata.validators import VALIDATORS, Subject, Validator, validated
from python.registry.service.compatibility import BREAKING, judged, previous
from python.registry.service.copies import settle
from python.registry.service.descriptions import DescriptionError, snapshot
from python.registry.service.layout import MARKER, YANKED, At, versions_in
from python.registry.service.packaging import Package, Sources, package
from python.registry.service.writing import write
from python.registry.store import Store

__all__ = ["Outcome", "Rules", "Uploaded", "checked", "upload"]


class Outcome(enum.Enum):
    """What came of an upload."""

    UPLOADED = "uploaded"
    THERE = "there already"
    INVALID = "invalid"
    BREAKING = "breaking"


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What an upload is held to: VALIDATORS and more, and what the version before says, unless told otherwise."""

    validators: Sequence[Validator] = VALIDATORS
    check_compatibility: bool = True


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; `at` is the version, None where the file does not say which."""

    outcome: Outcome
    at: At | None
    findings: tuple[Finding, ...]


def checked(sources: Sources, rules: Rules) -> tuple[Package, tuple[Finding, ...]]:
    """Return what is to be uploaded, and all that its file and what is beside it are wrong in. Raises PackageError."""
    made = package(sources)
    metadata = made.checked.metadata
    if metadata is None:
        return made, made.checked.findings
    subject = Subject(
        metadata=metadata, files=frozenset(made.files) - {MARKER}, is_prerelease=sources.prerelease is not None
    )
    found = [*validated(subject, rules.validators), *_described(metadata, made)]
    return made, (*made.checked.findings, *(placed(each, made.checked.document) for each in found))


def _described(metadata: ConnectorMetadata, made: Package) -> Iterator[Finding]:
    try:
        snapshot("what is beside it", metadata.data.docker_image_tag, made.files)
    except DescriptionError as error:
        yield Finding(rule="description", pointer="/data", message=str(error), fix="Mend the file.")


def upload(store: Store, sources: Sources, rules: Rules, now: Callable[[], dt.datetime]) -> Uploaded:
    """The version that `sources` are is in the store, with the copies that follow from it; or nothing has changed.

    Doing it again does nothing, and heals what a killed upload left. Raises PackageError, DescriptionError, StoreError,
    and ImmutableError where the version is there with other files.
    """
    made, findings = checked(sources, rules)
    metadata = made.checked.metadata
    if metadata is None or errors(findings):
        return Uploaded(outcome=Outcome.INVALID, at=_at(metadata), findings=findings)
    at = At(metadata.data.docker_repository, metadata.data.docker_image_tag)
    if rules.check_compatibility:
        judgement = list(judged(previous(store, at), metadata, made.files))
        judgement += _lower(store, at)
        findings = (*findings, *(placed(each, made.checked.document) for each in judgement))
    wrong = errors(findings)
    if wrong:
        breaking = any(each.rule == BREAKING for each in wrong)
        return Uploaded(outcome=Outcome.BREAKING if breaking else Outcome.INVALID, at=at, findings=findings)
    is_new = write(store, at, made.files, now).is_new
    healed = settle(store, at.repository)
    outcome = Outcome.UPLOADED if is_new or healed else Outcome.THERE
    return Uploaded(outcome=outcome, at=at, findings=findings)


def _at(metadata: ConnectorMetadata | None) -> At | None:
    return At(metadata.data.docker_repository, metadata.data.docker_image_tag) if metadata else None


def _lower(store: Store, at: At) -> list[Finding]:
    """Tell of a release that will not become the latest, as a newer one is there."""
    names = versions_in(store, at.repository)
    there = [
        version for version, files in names.items() if MARKER in files and YANKED not in files and _is_release(version)
    ]
    newest = max(there, key=number, default=None)
    if newest is None or at.version in there or not number(at.version) < number(newest):
        return []
    message = f"{at.version} is lower than {newest}, which stays the latest"
    fix = "Upload it all the same to mend an older version, or raise dockerImageTag."
    where = pointer.join(("data", "dockerImageTag"))
    return [Finding(rule="lower-version", pointer=where, message=message, fix=fix, severity=Severity.WARNING)]


def _is_release(version: str) -> bool:
    try:
        return kind_of(version) is Kind.RELEASE
    except ValueError:
        return False  # a copy, or what another tool has put there
