"""Values that differ from run to run, or that nobody may keep, taken out of what a connector said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from python.importing.snapshot_settings import Settings
from python.importing.snapshots import Json
from python.protocol.flow import UUID_PLACEHOLDER

__all__ = ["REDACTED", "is_redacted", "redacted", "replaced", "without_placeholder"]

REDACTED = "redacted"
"""What stands for a value that is not kept, unless it has a placeholder of its own: each begins with this word."""

_PLACEHOLDERS = {("ts",): "redacted-timestamp", ("_meta", "row_id"): "redacted-rowid"}
"""What is never kept, unless the settings say so: the placeholders of the reference, section 4."""

_Path = tuple[str, ...]


def is_redacted(value: object) -> bool:
    """Whether `value` stands for one that was not kept.

    >>> is_redacted("redacted-rowid"), is_redacted("redaction")
    (True, False)
    """
    return value in (REDACTED, *_PLACEHOLDERS.values())


def redacted(value: Json, settings: Settings) -> Json:
    """Return a document or a state without what `settings` keep out of snapshots.

    >>> redacted({"ts": 1, "_meta": {"row_id": 7}, "user": {"name": "Ann"}}, Settings(redact=("user.name",)))
    {'ts': 'redacted-timestamp', '_meta': {'row_id': 'redacted-rowid'}, 'user': {'name': 'redacted'}}
    """
    return replaced(_Redaction(settings).of(value, ()), settings.replace)


class _Redaction:
    """The paths that are redacted, by what stands in their place."""

    def __init__(self, settings: Settings) -> None:
        self._kept = [_split(path) for path in settings.keep]
        self._ends = _PLACEHOLDERS | {
            _split(path): REDACTED for path in settings.redact if _split(path) not in _PLACEHOLDERS
        }

    def of(self, value: Json, at: _Path) -> Json:
        nested = isinstance(value, Mapping | list)
        word = next((word for end, word in self._ends.items() if _ends_with(at, end, nested=nested)), None)
        if word is not None and not any(_ends_with(at, end, nested=nested) for end in self._kept):
            return word
        if isinstance(value, Mapping):
            return {name: self.of(member, (*at, name)) for name, member in value.items()}
        return [self.of(item, at) for item in value] if isinstance(value, list) else value


def _split(path: str) -> _Path:
    return tuple(path.split("."))


def _ends_with(at: _Path, end: _Path, *, nested: bool) -> bool:
    if len(at) < len(end) or (nested and any("*" in name for name in end)):
        return False
    return all(fnmatchcase(name, pattern) for name, pattern in zip(at[-len(end) :], end, strict=True))


def replaced(value: Json, expressions: Mapping[str, str]) -> Json:
    """Return `value`, where in each text the matches of each of `expressions` are replaced by what it is mapped to."""
    compiled = [(re.compile(expression), text) for expression, text in expressions.items()]
    return _replaced(value, compiled) if compiled else value


def _replaced(value: Json, expressions: Sequence[tuple[re.Pattern[str], str]]) -> Json:
    if isinstance(value, str):
        for expression, text in expressions:
            value = expression.sub(text, value)
    if isinstance(value, Mapping):
        return {name: _replaced(member, expressions) for name, member in value.items()}
    return [_replaced(item, expressions) for item in value] if isinstance(value, list) else value


def without_placeholder(document: Json) -> Json:
    """Return `document` without Flow's placeholder of a UUID, which only newer runtimes show."""
    meta = document.get("_meta") if isinstance(document, Mapping) else None
    if not isinstance(meta, Mapping) or meta.get("uuid") != UUID_PLACEHOLDER:
        return document
    kept = {name: value for name, value in meta.items() if name != "uuid"}
    rest = {name: value for name, value in document.items() if name != "_meta"}
    return {**rest, "_meta": kept} if kept else rest
