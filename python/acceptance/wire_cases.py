"""Rules of every message (1 to 12): what is on stdout, whatever it says."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn

from python.acceptance.cases import Case, require
from python.acceptance.subject import Subject
from python.acceptance.transcripts import Transcript
from python.acceptance.verdicts import BrokenError
from python.protocol import document, spelling
from python.protocol.errors import DocumentError

__all__ = ["CASES"]

_RAW = frozenset(
    ("config", "resourceConfig", "configSchema", "resourceConfigSchema", "documentSchema", "doc", "updated")
)
"""Members that hold JSON of the connector's own."""


def _lines(subject: Subject) -> Iterator[tuple[bytes, Transcript]]:
    for transcript in subject.basic():
        for line in transcript.lines:
            yield line, transcript


def _objects(subject: Subject) -> None:
    for line, transcript in _lines(subject):
        try:
            found = json.loads(line, parse_constant=_no_json)
        except (ValueError, RecursionError) as error:
            raise BrokenError(
                "a line of stdout is no JSON", got=str(error), want="one JSON object", transcript=transcript
            ) from None
        require(
            isinstance(found, dict),
            "a line of stdout is no object",
            got=found,
            want="one JSON object",
            transcript=transcript,
        )


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _nothing_else(subject: Subject) -> None:
    for line, transcript in _lines(subject):
        require(
            line.lstrip()[:1] == b"{",
            "something else than messages is on stdout",
            got=line.decode(errors="replace") or "a blank line",
            want="messages alone; what is printed belongs to stderr",
            transcript=transcript,
        )


def _newline(subject: Subject) -> None:
    for transcript in subject.basic():
        require(
            not transcript.stdout or transcript.stdout.endswith(b"\n"),
            "stdout ends amid a line",
            got=transcript.stdout[-80:],
            want="a newline at the end",
            transcript=transcript,
        )


def _by_codec(rule: int) -> Callable[[Subject], None]:
    return functools.partial(_decoded, rule)


def _decoded(rule: int, subject: Subject) -> None:
    """The codec, which is as strict as Flow's runtime, finds no breach of `rule`."""
    for transcript in subject.basic():
        found = subject.breaches(transcript)
        require(
            rule not in found,
            "the runtime refuses a message",
            got=found.get(rule, ""),
            want=_WANT[rule],
            transcript=transcript,
        )


_WANT: Mapping[int, str] = {
    4: "one member, of a kind of response, with members of their types",
    5: "members that the protocol knows",
    6: "each key once",
    7: "no null",
    10: "no `$internal`",
    11: "an index that is a number",
}


def _values(subject: Subject) -> None:
    for transcript in subject.basic():
        for kind, value in transcript.answers:
            for at, text in _texts(value, kind):
                require(
                    not _is_json(text),
                    f"{at} is text with JSON in it",
                    got=text,
                    want="the JSON value itself",
                    transcript=transcript,
                )


def _texts(value: object, at: str) -> Iterator[tuple[str, str]]:
    """Yield the raw members that are text, each with its place."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{at}/{index}")
    if isinstance(value, dict):
        for name, item in value.items():
            if name in _RAW:
                yield from [(f"{at}/{name}", item)] if isinstance(item, str) else []
            else:
                yield from _texts(item, f"{at}/{name}")


def _is_json(text: str) -> bool:
    try:
        return isinstance(document.decode(text.encode()), (dict, list))
    except (DocumentError, UnicodeEncodeError):
        return False


def _spelled(subject: Subject) -> None:
    for transcript in subject.basic():
        for kind, value in transcript.answers:
            for name in (kind, *_names(value)):
                require(
                    spelling.camel_case(name) == name,
                    f"a member of {kind} has the proto's own name",
                    got=name,
                    want=spelling.camel_case(name),
                    transcript=transcript,
                )


def _names(value: object) -> Iterator[str]:
    """Yield the names of members at typed levels: in maps and raw members names are their owner's."""
    if isinstance(value, list):
        for item in value:
            yield from _names(item)
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            if name not in _RAW | _MAPS:
                yield from _names(item)


_MAPS = frozenset(
    (
        *("constraints", "generatedFiles", "runtimeCheckpoint"),
        *("accessTokenHeaders", "accessTokenResponseMap", "refreshTokenHeaders", "refreshTokenResponseMap"),
    )
)


def _utf8(subject: Subject) -> None:
    for line, transcript in _lines(subject):
        try:
            json.loads(line.decode(), parse_constant=_no_json)
        except UnicodeDecodeError as error:  # noqa: PERF203 -- the first one ends the loop
            raise BrokenError("stdout is not UTF-8", got=str(error), want="UTF-8", transcript=transcript) from None
        except ValueError as error:
            require("is no JSON" not in str(error), "a number is none", got=str(error), want="a number or null")
        except RecursionError:
            continue  # rule 1 tells


def _indexes(subject: Subject) -> None:
    """The conversations are stepped through, as the runtime does; an index out of range is refused there."""
    _decoded(11, subject)
    for transcript in subject.basic():
        asked, bound = _opened(subject, transcript)
        for kind, value in transcript.answers if asked else ():
            index = value.get("binding", 0) if kind in _INDEXED and isinstance(value, dict) else 0
            require(
                isinstance(index, int) and 0 <= index < max(bound, 1),
                f"{kind} is of a binding that is not open",
                got=index,
                want=f"0 to {bound - 1}",
                transcript=transcript,
            )


_INDEXED = ("captured", "sourcedSchema", "loaded", "backfillBegin", "backfillComplete")


def _opened(subject: Subject, transcript: Transcript) -> tuple[bool, int]:
    """Return whether a session was opened, and with how many bindings."""
    for line in transcript.sent:
        if line.startswith(b'{"open"'):
            message = subject.protocol.requests.decode(line[:-1])
            task = getattr(message, "capture", None) or getattr(message, "materialization", None)
            return task is not None, len(task.bindings) if task is not None else 0
    return False, 0


CASES = (
    Case(1, "lines are objects", _objects),
    Case(2, "nothing else is printed", _nothing_else),
    Case(3, "the last newline", _newline),
    Case(4, "one kind a message", _by_codec(4)),
    Case(5, "known members", _by_codec(5)),
    Case(6, "keys once", _by_codec(6)),
    Case(7, "no nulls", _by_codec(7)),
    Case(8, "JSON is no text", _values),
    Case(9, "camelCase", _spelled),
    Case(10, "$internal is the runtime's", _by_codec(10)),
    Case(11, "indexes in range", _indexes),
    Case(12, "UTF-8 and finite numbers", _utf8),
)
"""The cases of this module."""
