"""What a case is, and what many of them need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from python.acceptance.transcripts import Transcript
from python.acceptance.verdicts import BrokenError

__all__ = ["Case", "require", "well_ended"]


class Case(msgspec.Struct, frozen=True):
    """How a rule is checked: `check` returns, or raises one of `verdicts`. It is for these `kinds` of tasks only."""

    rule: int
    name: str
    check: Callable[..., None]
    kinds: tuple[str, ...] = ()


def require(met: bool, sentence: str, *, got: object, want: str, transcript: Transcript | None = None) -> None:  # noqa: FBT001 -- as `assert`
    """Raise BrokenError with all of this unless `met`."""
    if not met:
        raise BrokenError(sentence, got=got, want=want, transcript=transcript)


def well_ended(transcripts: Iterator[Transcript] | Sequence[Transcript]) -> None:
    """Raise BrokenError where one of these did not end by itself, with exit status 0."""
    for each in transcripts:
        require(
            each.status == 0,
            "it did not end well",
            got=each.ended if each.status is None else f"exit status {each.status}: {each.reason or 'no log'}",
            want="exit status 0",
            transcript=each,
        )
