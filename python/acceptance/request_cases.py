"""Rules of requests and their answers, whatever they are about (13 to 15, 28 to 30, 48, 90)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from python.acceptance.cases import Case, require, well_ended
from python.acceptance.subject import Subject
from python.acceptance.transcripts import TOO_LATE, Json, Transcript, kind_of
from python.acceptance.verdicts import BlockedError, BrokenError
from python.protocol import capture, document

__all__ = ["CASES", "told"]

_TRACEBACK = b"Traceback (most recent call last)"


def _unknown_members(subject: Subject) -> None:
    talks = [
        subject.talk(subject.with_more(capture.Spec())),
        subject.talk(subject.spec_request, subject.with_more(subject.validate(subject.config))),
        subject.talk(subject.spec_request, subject.with_more(subject.empty_open())),
    ]
    for talk, wanted in zip(talks, (["spec"], ["spec", "validated"], ["spec", "opened"]), strict=True):
        require(
            talk.status is not None and not talk.status and talk.kinds[: len(wanted)] == wanted,
            "a request with members that it does not know is not answered",
            got=talk.reason or talk.kinds,
            want=" and ".join(wanted),
            transcript=talk,
        )


def _omitted(subject: Subject) -> None:
    """Every request that was sent omits zero values, as the runtime does; where one failed, they may be why."""
    for transcript in subject.basic():
        wanted = _wanted(transcript)
        if wanted in transcript.kinds:
            continue
        again = subject.talk(*map(_with_zeros, transcript.sent))
        if wanted in again.kinds:
            raise BrokenError(
                "a request is refused that omits its zero values, and answered with them",
                got=transcript.reason or transcript.kinds,
                want=f"{wanted}, as with them",
                transcript=transcript,
            )
        raise BlockedError("it needs answers, with zero values or without")


def _wanted(transcript: Transcript) -> str:
    """Return the kind of the answer to the request that a conversation is about, which comes after spec."""
    asked = [kind for line in transcript.sent if (kind := kind_of(line)) in _ANSWERS]
    return _ANSWERS[asked[-1]]


_ANSWERS = {
    "spec": "spec",
    "discover": "discovered",
    "validate": "validated",
    "apply": "applied",
    "open": "opened",
}
_STREAMED = "opened"


def _with_zeros(line: bytes) -> bytes:
    ((kind, members),) = msgspec.json.decode(line).items()
    return document.encode({kind: _zeros(kind, members)}) + b"\n"


def _zeros(kind: str, members: Json) -> Json:
    """Return the members of a request with the zero values that a runtime omits."""
    if kind in ("discover", "spec"):
        return {"config": {}, "connectorType": "", **members}
    if kind == "validate":
        return {"lastVersion": "", "bindings": [], **members}
    task = {name: _task_zeros(value) for name, value in members.items() if name in ("capture", "materialization")}
    owned = members.get("range")
    zeros = {"keyBegin": 0, "rClockBegin": 0, **(owned if isinstance(owned, dict) else {})}
    return {"lastVersion": "", "version": "", **members, **task, **({"range": zeros} if "range" in members else {})}


def _task_zeros(task: object) -> object:
    if not isinstance(task, dict):
        return task
    bindings = [{"backfill": 0, **each} for each in task.get("bindings", [])]
    return {"intervalSeconds": 0, **task, "bindings": bindings}


def _in_order(subject: Subject) -> None:
    require(
        subject.specs.kinds == ["spec", "spec"],
        "two requests to one process are not answered",
        got=subject.specs.reason if subject.specs.status else subject.specs.kinds,
        want="spec, spec",
        transcript=subject.specs,
    )
    talk = subject.talk(
        subject.spec_request, subject.line(subject.validate(subject.config)), subject.spec_request, subject.spec_request
    )
    wanted = ["spec", "validated", "spec", "spec"]
    require(
        talk.kinds == wanted,
        "four requests to one process are not answered in order",
        got=talk.reason if talk.status else talk.kinds,
        want=", ".join(wanted),
        transcript=talk,
    )


def _unary(subject: Subject) -> Iterator[Transcript]:
    for transcript in subject.basic():
        if _wanted(transcript) != _STREAMED:
            yield transcript


def _one_answer(subject: Subject) -> None:
    for transcript in _unary(subject):
        wanted = ["spec", _wanted(transcript)]
        require(
            transcript.kinds == wanted,
            "a request has not the one answer of its kind",
            got=transcript.kinds if not transcript.status else f"{transcript.kinds}, then: {transcript.reason}",
            want=" and ".join(wanted),
            transcript=transcript,
        )


def _ends(subject: Subject) -> None:
    for transcript in _unary(subject):
        require(
            transcript.ended != TOO_LATE,
            "it does not end at the end of stdin",
            got=f"still there after {transcript.seconds:.0f} s",
            want="exit status 0",
            transcript=transcript,
        )
        well_ended([transcript])


def _says_why(subject: Subject) -> None:
    talk = subject.talk(subject.spec_request, b'{"validate":{"config":\n')
    require(
        talk.status not in (0, None),
        "half a request is no failure",
        got=talk.ended if talk.status is None else "exit status 0",
        want="a non-zero exit status",
        transcript=talk,
    )
    require(talk.kinds in (["spec"], []), "half a request has an answer", got=talk.kinds, want="none", transcript=talk)
    told(talk)


def told(talk: Transcript) -> None:
    """Raise BrokenError unless the last log of a failure says why, in words."""
    require(
        " " in talk.reason.strip() and _TRACEBACK not in talk.stderr,
        "a failure is not told in a sentence",
        got=talk.reason or "no log at all",
        want="a last log that says why, and no traceback",
        transcript=talk,
    )


def _opened_first(subject: Subject) -> None:
    for transcript in subject.basic():
        if _wanted(transcript) == _STREAMED:
            got = transcript.kinds[1:2]
            require(
                got == ["opened"],
                "open is not answered by opened",
                got=got or transcript.reason,
                want="opened",
                transcript=transcript,
            )


def _as_intended(subject: Subject) -> None:
    """Where a message is missing, or a traceback was printed, the exit status is not 0."""
    for transcript in subject.basic():
        whole = _wanted(transcript) in transcript.kinds
        crashed = any(line.startswith(_TRACEBACK) for line in transcript.log_lines)  # one in a log was dealt with
        require(
            transcript.status != 0 or (whole and not crashed),
            "the exit status is 0, and not all went as intended",
            got="a traceback" if whole else transcript.kinds,
            want="another exit status",
            transcript=transcript,
        )


CASES = (
    Case(13, "unknown members", _unknown_members),
    Case(14, "omitted members", _omitted),
    Case(15, "several requests", _in_order),
    Case(28, "one answer", _one_answer),
    Case(29, "the end of stdin", _ends),
    Case(30, "a failure is told", _says_why),
    Case(48, "opened", _opened_first),
    Case(90, "exit status 0", _as_intended),
)
"""The cases of this module."""
