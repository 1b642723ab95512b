"""Rules of logs (80 to 86)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from python.acceptance.cases import Case, require
from python.acceptance.subject import Subject
from python.acceptance.transcripts import Json, Transcript
from python.acceptance.verdicts import BrokenError, NotApplicableError
from python.protocol import document
from python.protocol.errors import DocumentError
from python.protocol.log import CONFIG_UPDATE, CONNECTOR_STATUS, LEVELS

__all__ = ["CASES"]

_SPELLINGS = frozenset(spelling for name in (*LEVELS, "warning", "fatal", "panic") for spelling in (name, name.upper()))
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_EVENTS = (CONNECTOR_STATUS, CONFIG_UPDATE)


def _talks(subject: Subject) -> Iterator[Transcript]:
    """Yield the conversations with logs: the good ones, and one that is refused."""
    yield from subject.basic()
    yield subject.refused


def _logs(subject: Subject) -> Iterator[tuple[Json, Transcript]]:
    for transcript in _talks(subject):
        for found in transcript.logs:
            yield found, transcript


def _objects(subject: Subject) -> None:
    for transcript in _talks(subject):
        for line in transcript.log_lines:
            try:
                found = document.decode(line)
            except DocumentError:
                found = None
            wanted = isinstance(found, dict) and _member(found, "level", "lvl") and _member(found, "message", "msg")
            require(
                bool(wanted),
                "a line of stderr is no log",
                got=line.decode(errors="replace"),
                want="a JSON object with a level and a message",
                transcript=transcript,
            )


def _member(found: Json, *names: str) -> bool:
    return any(name in found for name in names)


def _levels(subject: Subject) -> None:
    for found, transcript in _logs(subject):
        got = found.get("level", found.get("lvl", "info"))
        require(
            isinstance(got, str) and got in _SPELLINGS,
            "a log has a level that Flow does not know",
            got=got,
            want=", ".join(LEVELS),
            transcript=transcript,
        )


def _shapes(subject: Subject) -> None:
    for found, transcript in _logs(subject):
        time = next((found[name] for name in ("ts", "timestamp", "time") if name in found), None)
        text = found.get("message", found.get("msg", ""))
        require(isinstance(text, str), "the message of a log is no text", got=text, want="text", transcript=transcript)
        fields = found.get("fields", {})
        require(
            isinstance(fields, dict),
            "fields of a log are no object",
            got=fields,
            want="an object",
            transcript=transcript,
        )
        sound = time is None or (isinstance(time, str) and _TIME.fullmatch(time) is not None)
        require(sound, "the time of a log is none", got=time, want="a time as in RFC 3339", transcript=transcript)


def _events(subject: Subject) -> None:
    for found, transcript in _logs(subject):
        fields = found.get("fields")
        named = fields if isinstance(fields, dict) else {}
        event, target = named.get("eventType", CONNECTOR_STATUS), named.get("eventTarget", subject.task.name)
        require(
            event in _EVENTS,
            "a log names an unknown event",
            got=event,
            want=" or ".join(_EVENTS),
            transcript=transcript,
        )
        require(
            target == subject.task.name,
            "an event targets another task",
            got=target,
            want=subject.task.name,
            transcript=transcript,
        )


def _no_secrets(subject: Subject) -> None:
    secrets = sorted(set(subject.secrets()))
    if not secrets:
        raise NotApplicableError("its config has no secrets")
    for number, secret in enumerate(secrets, start=1):
        for transcript in _talks(subject):
            spellings = (secret.encode(), document.encode([secret])[2:-2])
            came = any(each in transcript.stderr for each in spellings)
            if came:  # its transcript would show the secret once more
                raise BrokenError(
                    "a secret of the config is in the logs",
                    got=f"secret {number} of {len(secrets)}, on stderr of {transcript.kinds[-1:] or 'a failure'}",
                    want="no secrets",
                )


def _any_level(subject: Subject) -> None:
    for level in LEVELS:
        talk = subject.talk(b'{"spec":{}}\n', log_level=level)
        require(
            talk.status == 0 and talk.kinds == ["spec"],
            f"LOG_LEVEL={level} is not accepted",
            got=talk.reason or talk.kinds,
            want="an answer",
            transcript=talk,
        )


def _utf8(subject: Subject) -> None:
    for transcript in _talks(subject):
        try:
            transcript.stderr.decode()
        except UnicodeDecodeError as error:  # noqa: PERF203 -- the first one ends the loop
            raise BrokenError("stderr is not UTF-8", got=str(error), want="UTF-8", transcript=transcript) from None


CASES = (
    Case(80, "logs are objects", _objects),
    Case(81, "levels of logs", _levels),
    Case(82, "members of logs", _shapes),
    Case(83, "events", _events),
    Case(84, "no secrets in logs", _no_secrets),
    Case(85, "LOG_LEVEL", _any_level),
    Case(86, "stderr is UTF-8", _utf8),
)
"""The cases of this module."""
