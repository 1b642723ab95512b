"""What an export makes of a connector that is there already: its next version, and what breaks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec

from python.builder.export.facts import Facts
from python.importing import changelog, report
from python.importing.comparing import Comparison, compare
from python.importing.rule import Level
from python.importing.versions import next_version

__all__ = ["FIRST_TAG", "Before", "Revision", "revised"]

FIRST_TAG = "0.0.1"
_FIRST = "First version."
_INNER = "Nothing in its config or its streams has changed."
_UPGRADE_DAYS = 30  # how long users of Airbyte have before a breaking version is theirs; authors may write another date
_OF_STREAMS = ("binding ", "documents of ")


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """A connector as it was: what its manifest said, the texts that may change, and its VERSION, "" without one.

    `tag` is the version in its metadata.yaml, "" without one; `texts` are its manifest and components.py.
    """

    facts: Facts
    texts: tuple[str, ...] = ()
    version: str = ""
    tag: str = ""


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a connector: `tag` is Airbyte's number, `version` ours; they are one unless the folder had two.

    `lines` are sentences for its changelog, `breaking` those of them that break somebody; `streams` are the streams
    that break, if nothing else does. It is not `new` where nothing has changed.
    """

    tag: str
    version: str
    date: str
    lines: tuple[str, ...]
    breaking: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    new: bool = True

    def metadata(self) -> dict[str, Any]:
        """Return what metadata.yaml says of the breaking change, under `releases`; empty without one."""
        if not self.breaking:
            return {}
        deadline = dt.date.fromisoformat(self.date) + dt.timedelta(days=_UPGRADE_DAYS)
        change: dict[str, Any] = {"message": " ".join(self.breaking), "upgradeDeadline": deadline.isoformat()}
        if self.streams:
            change["scopedImpact"] = [{"scopeType": "stream", "impactedScopes": list(self.streams)}]
        return {"breakingChanges": {self.tag: change}}

    def changelog(self, text: str) -> str:
        """Return the CHANGELOG.md `text` with this version on top, in one section with what was written on this day."""
        title = f"{self.version}, {self.date}"
        waiting = text.replace(f"{changelog.HEADING}{title}\n", f"{changelog.HEADING}Unreleased\n", 1)
        return changelog.with_release(waiting, text, title, [f"- {line}" for line in self.lines]) if self.new else text


def revised(now: Facts, texts: tuple[str, ...], date: str, before: Before | None) -> Revision:
    """Return the version that a manifest becomes; `texts` are it and its components. Raises VersionError.

    Raised is what the change asks for: a change that breaks somebody more than one that adds something. A change that
    nobody notices is one, too, in a version with three numbers.
    """
    if before is None:
        return Revision(tag=FIRST_TAG, version=FIRST_TAG, date=date, lines=(_FIRST,))
    compared = compare(before.facts.snapshot("before", None), now.snapshot("now", None))
    level = compared.level or (Level.PATCH if before.texts != texts else None)
    tag, version = _numbers(before)
    return Revision(
        tag=next_version(tag, level),
        version=next_version(version, level),
        date=date,
        lines=tuple(_lines(compared)) or (_INNER,),
        breaking=tuple(report.sentence(each) for each in compared.differences if each.level is Level.MAJOR),
        streams=_streams(compared),
        new=level is not None,
    )


def _numbers(before: Before) -> tuple[str, str]:
    """Return the tag and the VERSION of a connector that may have only one of them, or none."""
    version = before.version or before.tag or FIRST_TAG
    of_version = version.removeprefix("v")
    return before.tag or (of_version if "." in of_version else f"{of_version}.0.0"), version


def _lines(compared: Comparison) -> Iterator[str]:
    yield from (report.sentence(each) for each in compared.differences if each.level is not Level.PATCH)


def _streams(compared: Comparison) -> tuple[str, ...]:
    """Return the streams that break, where all that breaks is in streams."""
    parts = [each.part for each in compared.differences if each.level is Level.MAJOR]
    named = {part.removeprefix(start) for part in parts for start in _OF_STREAMS if part.startswith(start)}
    return tuple(sorted(named)) if all(part.startswith(_OF_STREAMS) for part in parts) else ()
