"""Versions taken back: they stay where they are, and a marker beside them keeps them out of every registry."""

from __future__ import annotations

import datetime as dt
import re

import msgspec
import semver
import yaml

from python.protocol.errors import HeadwaterError
from python.registry.metadata.kinds import IMAGE_NAME
from python.registry.metadata.numbering import Kind, kind_of, number
from python.registry.service.copies import settle
from python.registry.service.layout import MARKER, YANKED, At, found, versions_in
from python.registry.store import ABSENT, ConflictError, Store

__all__ = ["MissingVersionError", "Yank", "check_candidate", "check_there", "rollback", "unyank", "yank"]


_SHOWN_MAX = 5  # versions in a message


class MissingVersionError(HeadwaterError):
    """There is no such version, or it is of another kind than what was asked of it. Whoever named it must act."""


class Yank(msgspec.Struct, frozen=True, kw_only=True):
    """Why a version was taken back, by whom and when."""

    reason: str
    by: str
    at: dt.datetime


def yank(store: Store, at: At, why: Yank) -> bool:
    """The version `at` is in no registry, and `latest` is the newest that is left. Return whether it was before.

    Raises MissingVersionError where there is none.
    """
    _kind(at)
    check_there(store, at)
    said = {"reason": why.reason, "yanked_by": why.by, "yanked_at": why.at.isoformat()}
    try:
        store.put(at.path(YANKED), yaml.safe_dump(said, sort_keys=False, allow_unicode=True).encode(), when=ABSENT)
    except ConflictError:
        settle(store, at.repository)
        return False  # whoever was first has given the reason
    settle(store, at.repository)
    return True


def unyank(store: Store, at: At) -> bool:
    """The version `at` is as if it had never been taken back. Return whether it was. Raises MissingVersionError."""
    _kind(at)
    check_there(store, at)
    was = found(store, at.path(YANKED)) is not None
    store.delete(at.path(YANKED))
    settle(store, at.repository)
    return was


def rollback(store: Store, at: At, why: Yank) -> bool:
    """The release candidate `at` is advertised no more; it stays, as versions do. Return whether it was.

    Raises MissingVersionError where there is none, or it is no candidate.
    """
    check_candidate(store, at)
    return yank(store, at, why)


def check_there(store: Store, at: At) -> None:
    """Raise MissingVersionError where `at` is no version."""
    if not re.fullmatch(IMAGE_NAME, at.repository):
        raise MissingVersionError(f"{at.repository!r} is no name of an image: want one as airbyte/source-faker")
    if found(store, at.path(MARKER)) is None:
        raise MissingVersionError(f"{at}: {store.address} has no such version{_near(store, at)}")


def check_candidate(store: Store, at: At) -> None:
    """Raise MissingVersionError where `at` is no version, or no release candidate."""
    kind = _kind(at)
    if kind is not Kind.CANDIDATE:
        raise MissingVersionError(f"{at}: is a {kind.value}; want a release candidate, as 1.4.0-rc.1")
    check_there(store, at)


def _kind(at: At) -> Kind:
    try:
        return kind_of(at.version)
    except ValueError:
        raise MissingVersionError(f"{at}: {at.version} is no semantic version") from None


def _near(store: Store, at: At) -> str:
    """Return which versions there are, to be read after a sentence that one is missing."""
    there = [version for version, names in versions_in(store, at.repository).items() if MARKER in names]
    known = sorted((each for each in there if semver.Version.is_valid(each)), key=number, reverse=True)
    listed = ", ".join(known[:_SHOWN_MAX])
    more = f", and {len(known) - _SHOWN_MAX} more" if len(known) > _SHOWN_MAX else ""
    return f"; of {at.repository} it has {listed}{more}" if known else f", and nothing of {at.repository}"
