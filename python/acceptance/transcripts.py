"""What was said in a conversation with a connector, from its first byte to its last."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from python.protocol import document
from python.protocol.errors import DocumentError

__all__ = ["BY_ITSELF", "SILENT", "TOO_LATE", "Json", "Transcript", "kind_of", "object_in"]

Json = dict[str, object]
BY_ITSELF = "it ended by itself"
SILENT = "we ended it after a silence"
TOO_LATE = "we ended it, since it took too long"

_KIND = re.compile(rb'\s*\{\s*"([^"]*)"\s*:')


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """A conversation from the start of the process to its end.

    `sent` are the lines of stdin; `status` is the exit status (minus the number of the signal that ended it), or None
    where we had to end the process, and `ended` says why.
    """

    sent: tuple[bytes, ...]
    stdout: bytes
    stderr: bytes
    status: int | None
    ended: str = BY_ITSELF
    seconds: float = 0.0

    @functools.cached_property
    def lines(self) -> list[bytes]:
        """The lines of stdout, the last one perhaps without its newline."""
        found = self.stdout.split(b"\n")
        return found if found[-1] else found[:-1]

    @functools.cached_property
    def answers(self) -> list[tuple[str, object]]:
        """The kind and value of each line that is an object; the others are for rules 1 and 2."""
        found = (object_in(line) for line in self.lines)
        return [next(iter(each.items())) for each in found if each]

    @property
    def kinds(self) -> list[str]:
        """The kind of each answer."""
        return [kind for kind, _ in self.answers]

    def all(self, kind: str) -> list[Json]:
        """Return the values of the answers of a kind, as far as they are objects."""
        return [value for each, value in self.answers if each == kind and isinstance(value, dict)]

    @functools.cached_property
    def log_lines(self) -> list[bytes]:
        """The lines of stderr that are not blank."""
        return [line for line in self.stderr.split(b"\n") if line.strip()]

    @functools.cached_property
    def logs(self) -> list[Json]:
        """The lines of stderr that are objects."""
        return [found for line in self.log_lines if (found := object_in(line)) is not None]

    @property
    def reason(self) -> str:
        """The last log, or the last line of stderr, or an empty text."""
        if not self.log_lines:
            return ""
        last = object_in(self.log_lines[-1]) or {}
        told = last.get("message", last.get("msg"))
        return told if isinstance(told, str) else self.log_lines[-1].decode(errors="replace")


def kind_of(line: bytes) -> str:
    """Return the kind of the message in `line`, or an empty text."""
    found = _KIND.match(line)
    return found[1].decode(errors="replace") if found else ""


def object_in(line: bytes) -> Json | None:
    """Return the object in `line`, or None."""
    try:
        found = document.decode(line)
    except DocumentError:
        return None
    return found if isinstance(found, dict) else None
