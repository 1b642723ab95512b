"""A release candidate made a release: a version of its own, of the same files, so that both stay what they were."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from python.protocol.errors import HeadwaterError
from python.registry.metadata import documents
from python.registry.metadata.checking import check
from python.registry.metadata.findings import Finding, errors, told
from python.registry.metadata.models import ConnectorMetadata
from python.registry.metadata.numbering import number
from python.registry.metadata.validators import Subject, validated
from python.registry.service.compatibility import judged, previous
from python.registry.service.copies import settle
from python.registry.service.layout import FILES, MARKER, YANKED, At, versions_in
from python.registry.service.writing import write
from python.registry.service.yanking import MissingVersionError, check_candidate
from python.registry.store import Store

__all__ = ["BreakingError", "Promoted", "PromotionError", "promote"]

_Json: TypeAlias = Any
_NOT_ITS_OWN = {FILES, YANKED, "oss.json", "cloud.json"}


class PromotionError(HeadwaterError):
    """A candidate cannot be a release as it is. Whoever made it must act."""


class BreakingError(PromotionError):
    """A release breaks what users have, and does not tell. Whoever made the candidate must act."""


class Promoted(msgspec.Struct, frozen=True):
    """The release, whether it was not there before, and what rules find in it: registries that stay pinned below it."""

    at: At
    is_new: bool
    findings: tuple[Finding, ...]


def promote(store: Store, at: At, now: Callable[[], dt.datetime]) -> Promoted:
    """The candidate `at`, 1.4.0-rc.2, is there as 1.4.0 too, which `latest` follows from: it is for all.

    The image has to be there under the new tag: nothing here can make it. Raises MissingVersionError where there is no
    such candidate or it was yanked, ImmutableError where the release is there with other files, BreakingError where it
    breaks a release that was made since.
    """
    check_candidate(store, at)
    versions = versions_in(store, at.repository)
    names = versions[at.version]
    if YANKED in names:
        raise MissingVersionError(f"{at}: was taken back; upload a new candidate, or `metadata_service unyank` it")
    release = At(at.repository, str(number(at.version).finalize_version()))
    if YANKED in versions.get(release.version, ()):
        raise MissingVersionError(f"{release}: was released and taken back; unyank it, or release a higher version")
    files = {name: store.get(at.path(name)).data for name in names - _NOT_ITS_OWN}
    checked = check(files[MARKER], lenient=True)
    if checked.metadata is None:
        raise PromotionError(told(at.path(MARKER), errors(checked.findings)))
    value = _released(checked.metadata.as_json(), at.version, release.version)
    metadata = ConnectorMetadata.model_validate(value)
    files[MARKER] = documents.write(value)
    if MARKER not in versions.get(release.version, ()):
        _check_follows(store, release, metadata, files)
    is_new = write(store, release, files, now).is_new
    healed = settle(store, at.repository)
    return Promoted(release, is_new=is_new or healed > 0, findings=tuple(validated(Subject(metadata=metadata))))


def _check_follows(store: Store, release: At, metadata: ConnectorMetadata, files: Mapping[str, bytes]) -> None:
    wrong = errors(judged(previous(store, release), metadata, files))
    if wrong:
        raise BreakingError(f"{release}: is not released: it breaks the one before\n{told(str(release), wrong)}")


def _released(value: _Json, candidate: str, release: str) -> _Json:
    for each in _settings(value["data"]):
        if each.get("dockerImageTag") == candidate:
            each["dockerImageTag"] = release
    rollout = value["data"].get("releases", {}).get("rolloutConfiguration")
    if rollout is not None:
        rollout["enableProgressiveRollout"] = False
    return value


def _settings(data: _Json) -> Iterator[_Json]:
    yield data
    yield from data.get("registryOverrides", {}).values()
