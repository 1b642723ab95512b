"""Flow's structured logs as values: one JSON object a line on stderr (protocol reference, section 7)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from python.protocol import document
from python.protocol.errors import DocumentError

__all__ = ["CONFIG_UPDATE", "CONNECTOR_STATUS", "LEVELS", "LINE_BYTES_MAX", "Log", "decode_lines", "encode", "severity"]

LEVELS: Mapping[str, int] = {"trace": 5, "debug": 10, "info": 20, "warn": 30, "error": 40}
"""Flow's levels, by the numbers that Python's `logging` has for them (TRACE is ours: Python has none)."""

LINE_BYTES_MAX = 256 * 1024
"""The longest message written or kept: what the runtime keeps of an action description. The rest is cut off."""

CONNECTOR_STATUS = "connectorStatus"
CONFIG_UPDATE = "configUpdate"

_SPELLINGS = {
    spelling: level
    for level, names in {
        "trace": ("trace",),
        "debug": ("debug",),
        "info": ("info",),
        "warn": ("warn", "warning"),
        "error": ("error", "fatal", "panic"),
    }.items()
    for name in names
    for spelling in (name, name.upper())
}
_LOOKS_BAD = re.compile(r"error|failed|panic|timeout|unable|unrecogni[sz]ed", re.IGNORECASE)
_ALIASES = {"timestamp": "ts", "time": "ts", "lvl": "level", "msg": "message"}


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """One log. `level` is a key of `LEVELS`; `fields` are any JSON values; `ts` an RFC 3339 text, or empty."""

    level: str
    message: str
    fields: Mapping[str, Any] = {}
    ts: str = ""


def severity(number: int) -> str:
    """Return Flow's level for a number of Python's `logging`: the highest that it reaches.

    >>> severity(50), severity(25), severity(1)
    ('error', 'info', 'trace')
    """
    return next((level for level, least in reversed(tuple(LEVELS.items())) if number >= least), "trace")


def encode(log: Log) -> bytes:
    """Return `log` as a line, newline included. Fields that are not JSON are written as their `repr`."""
    message = _plain(log.message)
    if len(message) > LINE_BYTES_MAX:
        message = message[:LINE_BYTES_MAX] + f"… ({len(message):,} characters)"
    line: dict[str, object] = {"level": log.level, "message": message, "fields": dict(log.fields)}
    if log.ts:
        line["ts"] = log.ts
    try:
        return document.encode(line) + b"\n"
    except DocumentError:
        line["fields"] = {_plain(str(name)): _jsonable(value) for name, value in log.fields.items()}
        return document.encode(line) + b"\n"


def decode_lines(lines: Iterable[bytes]) -> Iterator[Log]:
    """Yield the logs in `lines`; consecutive lines that are no JSON object become one log, as in Flow's runtime.

    A log without a level is an error where it looks like one, else a warning.
    """
    raw: list[str] = []
    for line in lines:
        text = line.decode(errors="replace").rstrip()
        log = _structured(text)
        if log is None:
            raw.append(text)
            continue
        yield from _merged(raw)
        raw.clear()
        yield log
    yield from _merged(raw)


def _merged(raw: list[str]) -> Iterator[Log]:
    text = "\n".join(raw).strip()
    if text:
        yield Log(level=_guess(text), message=text)


def _guess(text: str) -> str:
    return "error" if _LOOKS_BAD.search(text) else "warn"


def _structured(text: str) -> Log | None:
    if not text.startswith("{"):
        return None
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    values: dict[str, Any] = {_ALIASES.get(name, name): value for name, value in found.items()}
    level, message, fields, ts = (values.pop(name, None) for name in ("level", "message", "fields", "ts"))
    if not _well_formed(level, message, fields, ts):
        return None
    kept = {**(fields or {}), **{name: value for name, value in values.items() if name not in ("shard", "spans")}}
    message = message or ""
    return Log(level=_SPELLINGS[level] if level else _guess(text), message=message, fields=kept, ts=ts or "")


def _well_formed(level: object, message: object, fields: object, ts: object) -> bool:
    if not isinstance(message, (str, type(None))) or not isinstance(fields, (dict, type(None))):
        return False
    if level is not None and (not isinstance(level, str) or level not in _SPELLINGS):
        return False
    return ts is None or (isinstance(ts, str) and _is_rfc3339(ts))


def _is_rfc3339(text: str) -> bool:
    try:
        return msgspec.convert(text, dt.datetime).tzinfo is not None
    except msgspec.ValidationError:
        return False


def _jsonable(value: object) -> object:
    try:
        document.encode(value)
    except DocumentError:
        return _plain(repr(value))
    return value


def _plain(text: str) -> str:
    """Return `text` with lone surrogates, which UTF-8 lacks, escaped."""
    return text.encode(errors="backslashreplace").decode()
