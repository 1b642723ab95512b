"""Whether a version was raised enough for what has changed, and which one comes next.

A VERSION is `v2`, which counts only what breaks, or semantic: `1.4.0`. Before `1.0.0` the second number counts what
breaks, and the third all else (decision 0072).
"""

from __future__ import annotations

import re

import msgspec

from python.importing.comparing import Comparison
from python.importing.rule import Level
from python.protocol.errors import HeadwaterError

__all__ = ["Verdict", "VersionError", "next_version", "verdict"]

_VERSION = re.compile(r"(v?)(\d+)(?:\.(\d+)\.(\d+))?(?:[-+][0-9A-Za-z.+-]+)?")


class VersionError(HeadwaterError):
    """A VERSION cannot be read. Whoever wrote it must act."""


class Verdict(msgspec.Struct, frozen=True):
    """Whether the version was raised enough, and the sentence that says why."""

    enough: bool
    sentence: str


def verdict(comparison: Comparison) -> Verdict:
    """Return whether the new version's number is high enough. Raises VersionError where one cannot be read.

    Where a version is not known, only what breaks is too much.
    """
    if comparison.lost:
        return Verdict(enough=False, sentence=f"nobody can say what has changed: {comparison.lost[0]}")
    level, old, new = comparison.level, comparison.old.version, comparison.new.version
    changes = f"the gravest change is {level.word}" if level else "nothing has changed"
    if old is None or new is None:
        unknown = " and ".join(side.name for side in (comparison.old, comparison.new) if side.version is None)
        return Verdict(level is not Level.MAJOR, f"{changes}; no VERSION is known of {unknown}")
    was, now = _numbers(old), _numbers(new)
    if now < was:
        return Verdict(enough=False, sentence=f"VERSION went back from {old} to {new}")
    if level is None:
        return Verdict(enough=True, sentence=f"{changes}, and VERSION is {new}")
    if now >= _numbers(next_version(old, level)):
        raised = f"VERSION was raised from {old} to {new}" if now > was else f"VERSION is {new}"
        return Verdict(enough=True, sentence=f"{changes}, and {raised}: that is enough")
    told = f"VERSION was raised only from {old} to {new}" if now > was else f"VERSION still is {old}"
    return Verdict(enough=False, sentence=f"{changes}, and {told}: raise it to {next_version(old, level)}")


def next_version(version: str, level: Level | None) -> str:
    """Return the lowest version that says so of a change of `level` since `version`.

    >>> next_version("v1", Level.MAJOR), next_version("v1", Level.MINOR), next_version("0.4.1", Level.MAJOR)
    ('v2', 'v1', '0.5.0')
    """
    match = _matched(version)
    major, minor, patch = _numbers(version)
    if level is None:
        return version
    if match[3] is None:
        return f"{match[1]}{major + (level is Level.MAJOR)}"
    if major == 0:  # one number less to say it with
        raised = (0, minor + 1, 0) if level is Level.MAJOR else (0, minor, patch + 1)
    else:
        higher = {Level.MAJOR: (major + 1, 0, 0), Level.MINOR: (major, minor + 1, 0)}
        raised = higher.get(level, (major, minor, patch + 1))
    return match[1] + ".".join(map(str, raised))


def _numbers(version: str) -> tuple[int, int, int]:
    match = _matched(version)
    return int(match[2]), int(match[3] or 0), int(match[4] or 0)


def _matched(version: str) -> re.Match[str]:
    match = _VERSION.fullmatch(version)
    if match is None:
        raise VersionError(f"VERSION is {version!r}: want v1, v2 and so on, or three numbers as 1.4.0")
    return match
