"""Upload: a connector's files, checked by every rule, become a version in the bucket, or nothing changes."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from python.protocol import pointer
from python.registry.metadata.checking import placed
from python.registry.metadata.documents import read
from python.registry.metadata.findings import Finding, Severity, errors
from python.registry.metadata.models import ConnectorMetadata
from python.registry.metadata.numbering import Kind, kind_of, number
from python.registry.metadata.validators import VALIDATORS, Subject, Validator, validated
from python.registry.service.compatibility import BREAKING, judged, previous
from python.registry.service.contents import problems
from python.registry.service.copies import settle
from python.registry.service.layout import MARKER, YANKED, At, found, versions_in
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
    said, found = made.checked, list(problems(made.files))
    if said.sketch is not None:
        names = frozenset(made.files) - {MARKER}
        subject = Subject(metadata=said.sketch, files=names, is_prerelease=sources.prerelease is not None)
        found += validated(subject, rules.validators, said.doubtful)
    return made, (*said.findings, *(placed(each, said.document) for each in found))


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
        judgement += _standing(store, at)
        findings = (*findings, *(placed(each, made.checked.document) for each in judgement))
    wrong = errors(findings)
    if wrong:
        breaking = any(each.rule == BREAKING for each in wrong)
        return Uploaded(outcome=Outcome.BREAKING if breaking else Outcome.INVALID, at=at, findings=findings)
    is_new = write(store, at, _as_there(store, at, made.files), now).is_new
    healed = settle(store, at.repository)
    outcome = Outcome.UPLOADED if is_new or healed else Outcome.THERE
    return Uploaded(outcome=outcome, at=at, findings=findings)


def _at(metadata: ConnectorMetadata | None) -> At | None:
    return At(metadata.data.docker_repository, metadata.data.docker_image_tag) if metadata else None


def _as_there(store: Store, at: At, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return `files` with the metadata of the version that is there, where only the commit differs.

    The same file may be committed, or amended, after it was uploaded; that makes no other version of it.
    """
    there = found(store, at.path(MARKER))
    if there is None or _but_commit(there) != _but_commit(files[MARKER]):
        return files
    return {**files, MARKER: there}


def _but_commit(data: bytes) -> object:
    value = read(data).value
    if not isinstance(value, dict) or not isinstance(value.get("data"), dict):
        return data
    said = dict(value["data"])
    generated = said.pop("generated", None) or {}
    return value | {"data": said}, {name: each for name, each in generated.items() if name != "git"}


def _standing(store: Store, at: At) -> Iterator[Finding]:
    """Tell of a version that will not become the latest: it was taken back, or a newer release is there."""
    names = versions_in(store, at.repository)
    if YANKED in names.get(at.version, ()):
        fix = "Run `metadata_service unyank` to have it again, or upload a higher version."
        yield _warning("yanked", f"{at.version} was taken back, so no registry has it", fix)
    there = [
        version for version, files in names.items() if MARKER in files and YANKED not in files and _is_release(version)
    ]
    newest = max(there, key=number, default=None)
    if newest is not None and at.version not in there and number(at.version) < number(newest):
        message = f"{at.version} is lower than {newest}, which stays the latest"
        yield _warning(
            "lower-version", message, "Upload it all the same to mend an older version, or raise dockerImageTag."
        )


def _warning(rule: str, message: str, fix: str) -> Finding:
    where = pointer.join(("data", "dockerImageTag"))
    return Finding(rule=rule, pointer=where, message=message, fix=fix, severity=Severity.WARNING)


def _is_release(version: str) -> bool:
    try:
        return kind_of(version) is Kind.RELEASE
    except ValueError:
        return False  # a copy, or what another tool has put there
