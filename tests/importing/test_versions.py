from __future__ import annotations

from typing import Any

import pytest

from python.importing.comparing import compare
from python.importing.rule import Level
from python.importing.snapshot_files import of_value
from python.importing.versions import Verdict, VersionError, next_version, verdict

SPECS: dict[Level | None, dict[str, Any]] = {
    None: {"spec": {}},
    Level.PATCH: {"spec": {"documentationUrl": "https://docs.example/x"}},
    Level.MINOR: {"spec": {"configSchema": {"properties": {"a": {}}}}},
    Level.MAJOR: {"spec": {"configSchema": {"properties": {"a": {}}, "required": ["a"]}}},
}


def judged(level: Level | None, old: str | None, new: str | None) -> Verdict:
    sides: tuple[dict[str, Any], dict[str, Any]] = ({"spec": {}, "version": old}, {**SPECS[level], "version": new})
    return verdict(compare(of_value("old", sides[0]), of_value("new", sides[1])))


@pytest.mark.parametrize(
    ("level", "old", "new", "enough"),
    [
        (None, "v1", "v1", True),
        (Level.MINOR, "v1", "v1", True),
        (Level.MAJOR, "v1", "v1", False),
        (Level.MAJOR, "v9", "v10", True),
        (None, "v2", "v1", False),
        (Level.PATCH, "1.2.3", "1.2.3", False),
        (Level.PATCH, "1.2.3", "1.2.4", True),
        (Level.MINOR, "1.2.3", "1.2.4", False),
        (Level.MINOR, "1.2.3", "1.3.0", True),
        (Level.MAJOR, "1.2.3", "1.3.0", False),
        (Level.MAJOR, "1.2.3", "2.0.0", True),
        (Level.MAJOR, "0.2.3", "0.3.0", True),
        (Level.MAJOR, "0.2.3", "0.2.4", False),
        (Level.MINOR, "0.2.3", "0.2.4", True),
        (Level.MINOR, "v1", None, True),
        (Level.MAJOR, None, "v2", False),
        (Level.MAJOR, "v1", "2.0.0", True),
    ],
)
def test_a_version_is_raised_enough_or_not(level: Level | None, old: str | None, new: str | None, enough: bool) -> None:
    assert judged(level, old, new).enough == enough


def test_the_verdict_says_what_to_raise_it_to() -> None:
    told = judged(Level.MAJOR, "1.2.3", "1.2.4").sentence

    assert told == "the gravest change is major, and VERSION was raised only from 1.2.3 to 1.2.4: raise it to 2.0.0"


def test_what_is_no_version_is_shown() -> None:
    with pytest.raises(VersionError, match="VERSION is 'latest': want v1"):
        judged(Level.MAJOR, "v1", "latest")


@pytest.mark.parametrize("version", ["v1", "3", "0.1.0", "1.2.3", "v2.0.0-rc.1"])
@pytest.mark.parametrize("level", list(Level))
def test_the_next_version_is_enough(version: str, level: Level) -> None:
    assert judged(level, version, next_version(version, level)).enough
