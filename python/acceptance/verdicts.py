"""What may come of a case: it passes, or raises one of these; and how a breach is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from python.acceptance.transcripts import Transcript
from python.protocol.errors import HeadwaterError

__all__ = [
    "BLOCKED",
    "FAILED",
    "NOTHING",
    "NOT_APPLICABLE",
    "PASSED",
    "BlockedError",
    "BrokenError",
    "NotApplicableError",
    "NothingError",
    "Outcome",
    "excerpt",
    "shortened",
]

PASSED = "passed"
FAILED = "failed"
BLOCKED = "not reached"
NOT_APPLICABLE = "not applicable"
NOTHING = "nothing to check"

_SHOWN_CHARACTERS_MAX = 240  # enough to recognise a line
_TOLD_CHARACTERS_MAX = 1000  # of what came, or was wanted: a row that differs, say
_LINES_MAX = 6  # of each of the three, before the end


class BrokenError(HeadwaterError):
    """The connector breaks the promise. `got` came, `want` was wanted; `transcript` shows where, if it is known."""

    def __init__(self, sentence: str, *, got: object, want: str, transcript: Transcript | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.got = got if isinstance(got, str) else repr(got)
        self.want = want
        self.transcript = transcript


class BlockedError(HeadwaterError):
    """What this case needs did not come about; another case tells what is wrong with it."""


class NotApplicableError(HeadwaterError):
    """The promise does not concern this connector, for this reason."""


class NothingError(HeadwaterError):
    """There is nothing of what the promise is about, for this reason; it is neither kept nor broken."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a case. `reason` is why it did not pass; `transcript` are lines, sent `>`, said `<`, logged `!`."""

    rule: int
    grade: str
    case: str
    verdict: str
    reason: str = ""
    got: str = ""
    want: str = ""
    transcript: tuple[str, ...] = ()
    seconds: float = 0.0


def shortened(text: str, characters_max: int = _TOLD_CHARACTERS_MAX) -> str:
    """Return the beginning of a text that is longer."""
    return text if len(text) <= characters_max else f"{text[:characters_max]}…"


def excerpt(transcript: Transcript | None, mask: Callable[[str], str]) -> Iterator[str]:
    """Yield the last lines of a transcript, each as `mask` leaves it, and shortened after that.

    Of requests only the kind and length are shown: they carry secrets.
    """
    if transcript is None:
        return
    for line in transcript.sent[-_LINES_MAX:]:
        yield f"> {line[:32].decode(errors='replace').split(':')[0].strip()}: … {len(line):,} bytes"
    yield from _shown("<", transcript.lines, mask)
    yield from _shown("!", transcript.log_lines, mask)
    yield f"exit status {transcript.status}" if transcript.status is not None else transcript.ended


def _shown(sign: str, lines: Iterable[bytes], mask: Callable[[str], str]) -> Iterator[str]:
    found = list(lines)
    if len(found) > _LINES_MAX:
        yield f"{sign} ({len(found) - _LINES_MAX:,} lines)"
    for line in found[-_LINES_MAX:]:
        yield f"{sign} {shortened(mask(line.decode(errors='replace')), _SHOWN_CHARACTERS_MAX)}"
