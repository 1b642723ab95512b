"""Versions of connectors, by semantic versioning: 2.0.0-rc.1 is before 2.0.0, and 1.10.0 is after 1.9.0."""

from __future__ import annotations

import enum
import re

import semver

__all__ = ["Kind", "kind_of", "number"]

_CANDIDATE = re.compile(r"rc\d*")


class Kind(enum.Enum):
    """What a version is for: only a release becomes `latest`, only a candidate `release_candidate`."""

    RELEASE = "release"
    CANDIDATE = "release candidate"
    PRERELEASE = "pre-release"


def number(tag: str) -> semver.Version:
    """Return the version that `tag` is, which can be compared. Raises ValueError where it is none.

    >>> number("1.9.0") < number("1.10.0-rc.1") < number("1.10.0")
    True
    """
    return semver.Version.parse(tag)


def kind_of(tag: str) -> Kind:
    """Return what the version `tag` is for. Raises ValueError where it is none.

    >>> kind_of("1.0.0"), kind_of("1.0.0-rc.2"), kind_of("1.0.0-preview.8204848")
    (<Kind.RELEASE: 'release'>, <Kind.CANDIDATE: 'release candidate'>, <Kind.PRERELEASE: 'pre-release'>)
    """
    said = number(tag).prerelease
    if said is None:
        return Kind.RELEASE
    return Kind.CANDIDATE if _CANDIDATE.fullmatch(said.split(".")[0]) else Kind.PRERELEASE
