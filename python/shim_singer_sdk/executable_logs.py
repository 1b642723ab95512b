"""What a tap writes to its stderr, as logs with the level that the tap gave them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator

from python.protocol import log

__all__ = ["TapLogs"]

_LEVELS = {
    "TRACE": log.LEVELS["trace"],
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.ERROR,
    "FATAL": logging.ERROR,
}
_LEVEL = "(?P<level>TRACE|DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)"
_DATE = r"\[?\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\S*"
_FORMATS = (
    # singer-python, `logging.basicConfig`, and levels in brackets
    re.compile(rf"\[?{_LEVEL}(?:\s*:\s*[\w.\-]+:\s*|\s*[:\-\]]?\s+)(?P<message>.*)"),
    re.compile(rf"(?:time={_DATE[3:]}(?:\s\S+)?\s)?(?:name=\S+\s)?level={_LEVEL}\s(?:message|msg)=(?P<message>.*)"),
    # singer-sdk, and what `logging` is often given: date, name and level, separated by blanks, bars or dashes
    re.compile(rf"{_DATE}[\s|\-]+(?:[\w.\-]+[\s|\-]+)?{_LEVEL}\s*(?:\|\s*[\w.\-]+\s*\||[\s|:\-\]]+)\s*(?P<message>.*)"),
)
_METRIC = re.compile(r"METRIC: \{|INFO METRIC")
_TRACEBACK = "Traceback (most recent call last):"


class TapLogs:
    """Passes what the tap `name` says on to `logging`, under `singer.<name>`; metrics go to debug.

    `reason` is what to tell a person where the tap has failed: the last error that it logged, or the last line of the
    traceback that it ended with; without either, the last line it wrote.
    """

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"singer.{name}")
        self._error = ""
        self._last = ""
        self._held: list[str] = []

    @property
    def reason(self) -> str:
        """The sentence that says why the tap has failed; empty where it wrote nothing."""
        return self._error or self._last

    def take(self, lines: Iterable[bytes]) -> None:
        """Log `lines`, which came together: what follows a log without a level of its own belongs to it.

        A traceback without its last line, which says what happened, waits for it, or for the `end`.
        """
        found = list(_entries([*self._held, *(line.decode(errors="replace").rstrip() for line in lines)]))
        self._held = found.pop() if found and _waits(found[-1]) else []
        for entry in found:
            self._log(entry)

    def end(self) -> None:
        """The tap writes no more."""
        held, self._held = self._held, []
        if held:
            self._log(held)

    def _log(self, entry: list[str]) -> None:
        first, *more = entry
        told = _told(first)
        if told is not None:
            self._say(*told, more)
        elif first == _TRACEBACK:
            self._say(logging.ERROR, entry[-1].strip(), entry)
        else:
            self._raw(entry)

    def _say(self, level: int, message: str, more: list[str]) -> None:
        self._last = more[-1].strip() if more else message
        if level >= logging.ERROR:
            self._error = self._last if _TRACEBACK in more else message
        elif _TRACEBACK in more:
            self._error = self._last
        self._logger.log(level, "%s", message, extra={"traceback": more} if more else None)

    def _raw(self, lines: list[str]) -> None:
        """Lines without a level: JSON is taken for a log of its own form, the rest by Flow's rule of thumb."""
        for entry in log.decode_lines(line.encode() for line in lines):
            *_, self._last = entry.message.splitlines() or [""]
            level = log.LEVELS[entry.level]
            if level >= logging.ERROR:
                self._error = self._last
            self._logger.log(level, "%s", entry.message, extra={f"tap_{k}": v for k, v in entry.fields.items()})


def _entries(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield each line that begins a log, with the lines that go with it."""
    entry: list[str] = []
    for line in lines:
        begins = not entry or _told(line) is not None or line.startswith("{") or entry[0].startswith("{")
        if not begins:
            entry.append(line)
            continue
        if entry and entry[0]:
            yield entry
        entry = [line]
    if entry and entry[0]:
        yield entry


def _waits(entry: list[str]) -> bool:
    """Whether `entry` ends within a traceback, whose last line is the first that is not indented."""
    if _TRACEBACK not in entry:
        return False
    last = len(entry) - entry[::-1].index(_TRACEBACK)
    return all(not line or line[0].isspace() for line in entry[last:])


def _told(line: str) -> tuple[int, str] | None:
    """Return level and message of `line`; None where it says no level."""
    for form in _FORMATS:
        found = form.match(line)
        if found:
            level, message = _LEVELS[found["level"]], found["message"]
            return (logging.DEBUG if _METRIC.match(message) else level), message
    return None
