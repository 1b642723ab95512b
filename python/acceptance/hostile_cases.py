"""Hostile requests: each file of the folder `hostile` says what is sent, and what has to be true then.

    about      what is wrong with the request, in words
    rule       the number of the rule that it is about
    kinds      kinds of tasks that it is for; by default all
    after      what comes before, in good order: "start" (nothing), "spec", or "open" (an opened session)
    send       a list of pieces, sent as they are: text, or {"text": ..., "times": n}, or {"base64": ...}
    expect     "refused": a non-zero exit status, no answer, and a sentence on stderr
               "answered": exit status 0, and the answers named by `answers`
               "survived": either of the two
    answers    kinds of answers to what is sent, in order; where it is refused, these at most may have come before

In any case the connector ends in time, what is on stdout are whole messages, and there is no traceback.
"""

from __future__ import annotations

import base64
import functools
import pathlib
from collections.abc import Mapping, Sequence

import msgspec

from python.acceptance.cases import Case, require
from python.acceptance.promises import EVERY
from python.acceptance.request_cases import told
from python.acceptance.subject import Subject
from python.acceptance.transcripts import TOO_LATE, Transcript
from python.acceptance.verdicts import BlockedError

__all__ = ["Hostile", "cases", "read"]

_FOLDER = pathlib.Path(__file__).parent / "hostile"
_ANSWERS_BEFORE: Mapping[str, tuple[str, ...]] = {"start": (), "spec": ("spec",), "open": ("spec", "opened")}
_OF_SESSIONS = frozenset(("captured", "sourcedSchema", "checkpoint", "backfillBegin", "backfillComplete"))


class _Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes to send."""

    text: str = ""
    times: int = 1
    base64: str = ""

    def bytes(self) -> bytes:
        """Return what is sent."""
        return self.text.encode(errors="surrogatepass") * self.times + base64.b64decode(self.base64)


class Hostile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the folder; see the docstring of this module."""

    about: str
    rule: int
    send: tuple[str | _Piece, ...]
    expect: str
    kinds: tuple[str, ...] = EVERY
    after: str = "spec"
    answers: tuple[str, ...] = ()

    def bytes(self) -> bytes:
        """Return what is sent."""
        return b"".join((_Piece(each) if isinstance(each, str) else each).bytes() for each in self.send)


def read(folder: pathlib.Path = _FOLDER) -> Mapping[str, Hostile]:
    """Return the files of a folder by their names."""
    return {path.stem: msgspec.json.decode(path.read_bytes(), type=Hostile) for path in sorted(folder.glob("*.json"))}


def cases() -> Sequence[Case]:
    """Return a case for each file."""
    return [
        Case(each.rule, f"hostile: {name}", functools.partial(_check, each), each.kinds)
        for name, each in read().items()
    ]


def _check(hostile: Hostile, subject: Subject) -> None:
    talk = _held(hostile, subject)
    require(
        talk.ended != TOO_LATE,
        f"{hostile.about}: it does not end",
        got=talk.ended,
        want="an end, after what was wrong or at the end of stdin",
        transcript=talk,
    )
    _whole(hostile, subject, talk)
    before = list(_ANSWERS_BEFORE[hostile.after])
    wanted = before + list(hostile.answers)
    kinds = [kind for kind in talk.kinds if kind not in _OF_SESSIONS]
    if hostile.expect == "refused" or (hostile.expect == "survived" and talk.status != 0):
        require(
            talk.status not in (0, None),
            f"{hostile.about}: it is not refused",
            got="exit status 0" if talk.status == 0 else talk.ended,
            want="a non-zero exit status",
            transcript=talk,
        )
        require(
            kinds == wanted[: len(kinds)],
            f"{hostile.about}: it is answered and refused",
            got=kinds,
            want=f"{wanted} at most",
            transcript=talk,
        )
        told(talk)
    else:
        require(
            talk.status == 0 and (hostile.expect == "survived" or kinds == wanted),
            f"{hostile.about}: it is not answered",
            got=talk.reason if talk.status else kinds,
            want=f"{wanted}, and exit status 0",
            transcript=talk,
        )


def _held(hostile: Hostile, subject: Subject) -> Transcript:
    with subject.dialogue() as dialogue:
        if hostile.after != "start":
            dialogue.send(subject.spec_request)
        if hostile.after == "open":
            dialogue.send(subject.line(subject.empty_open()))
            if not dialogue.until("opened"):
                raise BlockedError("it needs an open session")
        dialogue.send(hostile.bytes())
        return dialogue.end(idle=hostile.after == "open" and subject.kind == "capture")


def _whole(hostile: Hostile, subject: Subject, talk: Transcript) -> None:
    """What is on stdout are whole messages of the protocol."""
    for line in talk.lines:
        error = subject.refusal(line)
        require(
            error is None,
            f"{hostile.about}: stdout has no message",
            got=str(error),
            want="messages alone",
            transcript=talk,
        )
    require(
        not talk.stdout or talk.stdout.endswith(b"\n"),
        f"{hostile.about}: stdout ends amid a message",
        got=talk.stdout[-80:],
        want="whole messages",
        transcript=talk,
    )
