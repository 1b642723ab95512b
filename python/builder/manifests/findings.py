"""What was found in a manifest: where, what came, what would have been right. One value, told as a table or as JSON."""

from __future__ import annotations

import difflib
import enum
import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from python.builder.manifests.documents import Document
from python.protocol import pointer

__all__ = [
    "LOOKED_FOR_MAX",
    "Finding",
    "Severity",
    "as_json",
    "as_table",
    "did_you_mean",
    "finding",
    "listed",
    "nearest",
    "placed",
    "shown",
    "worst",
]

_SHOWN_CHARACTERS_MAX = 60  # enough to recognise a value, short enough for a line
_LISTED_MAX = 12  # names in one sentence
_WANT_MAX = 100  # names in `want`
_TOLD_MAX = 200  # errors, and as many warnings: nobody reads more, and an answer must not grow with what is wrong
_GOT_CHARACTERS_MAX = 1000
_COMPARED_MAX = 50  # names letter by letter, at some 40 microseconds each
_NAME_CHARACTERS_MAX = 100  # what is longer is no name that somebody mistyped

LOOKED_FOR_MAX = 1000
"""Findings of a manifest after which no more are looked for."""


class Severity(enum.Enum):
    """What comes of a finding."""

    ERROR = "error"  # the CDK refuses the manifest, or a read fails where it comes to this place
    WARNING = "warning"  # it runs, and probably not as meant


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong. `at` is a JSON pointer to where it is written; `line` and `column` count from 1.

    `got` is what came, cut where it is long, `want` names or types that are allowed there, a hundred at most, and
    `nearest` the one that was perhaps meant.
    `rule` names the kind of finding, `component` the type of the component it is in.
    """

    rule: str
    severity: Severity
    at: str
    message: str
    line: int | None = None
    column: int | None = None
    component: str | None = None
    got: Any = None
    want: tuple[str, ...] = ()
    nearest: str | None = None


def finding(rule: str, at: Sequence[str], message: str, **members: Any) -> Finding:  # noqa: ANN401 -- of Finding
    """Return an error, or what `severity` says, at the written place `at`."""
    told = {"rule": rule, "severity": Severity.ERROR, "at": pointer.join(at), "message": message, **members}
    told["got"], told["want"] = _short(told.get("got")), tuple(told.get("want", ())[:_WANT_MAX])
    return Finding(**told)


def _short(got: Any) -> Any:  # noqa: ANN401 -- JSON
    if isinstance(got, str) and len(got) > _GOT_CHARACTERS_MAX:
        return got[:_GOT_CHARACTERS_MAX] + "…"
    return shown(got) if got and isinstance(got, dict | list) else got


def placed(found: Iterable[tuple[Finding, str]], document: Document) -> list[Finding]:
    """Return each finding once, with its place in the text, in the order of the text.

    The text that comes with a finding, if any, is looked for within the value, to point at the very word. At most 200
    errors and 200 warnings are told; a last warning says so where there may be more.
    """
    told: dict[tuple[str, str, str], Finding] = {}
    left = dict.fromkeys(Severity, _TOLD_MAX)
    dropped = 0
    for each, needle in found:
        key = (each.rule, each.at, each.message)
        if key in told:
            continue
        if not left[each.severity]:
            dropped += 1
            if each.severity is Severity.ERROR or dropped > LOOKED_FOR_MAX:
                break
            continue
        left[each.severity] -= 1
        place = document.place(pointer.parse(each.at), needle)
        told[key] = msgspec.structs.replace(each, line=place.line, column=place.column) if place else each
    ordered = sorted(told.values(), key=lambda each: (each.line or 0, each.column or 0))
    return [*ordered, finding("size", (), _more(left), severity=Severity.WARNING)] if dropped else ordered


def _more(left: Mapping[Severity, int]) -> str:
    counts = " and ".join(f"{_TOLD_MAX - count} {severity.value}s" for severity, count in left.items())
    return f"{counts} are told, and more were not looked for: mend these first"


def nearest(got: object, known: Iterable[str]) -> str | None:
    """Return the one of `known` that `got` was perhaps meant to be.

    >>> nearest("HttpRequestor", ["HttpRequester", "CustomRequester"])
    'HttpRequester'
    """
    word = str(got).casefold()
    if len(word) > _NAME_CHARACTERS_MAX:
        return None
    folded = {str(name).casefold(): str(name) for name in known if len(str(name)) <= _NAME_CHARACTERS_MAX}
    letters = set(word)
    alike = heapq.nsmallest(_COMPARED_MAX, folded, key=lambda name: len(letters.symmetric_difference(name)))
    close = difflib.get_close_matches(word, alike, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def did_you_mean(got: object, known: Iterable[str]) -> str:
    """Return a clause for the end of a sentence: the nearest of `known`, else all of them, else nothing."""
    names = sorted({str(name) for name in known})
    near = nearest(got, names)
    if near is not None:
        return f"; did you mean {near}?"
    return f"; want {'one of ' * (len(names) > 1)}{listed(names)}" if names else ""


def listed(names: Sequence[str]) -> str:
    """Return names for a sentence: a few of them, and how many more there are."""
    more = f" and {len(names) - _LISTED_MAX} more" if len(names) > _LISTED_MAX else ""
    return ", ".join(names[:_LISTED_MAX]) + more


def shown(value: object) -> str:
    """Return a value for a sentence, cut where it is long."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else text[:_SHOWN_CHARACTERS_MAX] + "…"


def worst(found: Iterable[Finding]) -> Severity | None:
    """Return the worst severity, or None where nothing was found."""
    severities = {each.severity for each in found}
    return next((each for each in Severity if each in severities), None)


def as_table(name: str, found: Sequence[Finding]) -> str:
    """Return a line for each finding, as compilers write them, so that editors find the places; and a summary."""
    lines = [f"{_where(name, each)}: {each.severity.value}: {each.message} [{each.rule}]" for each in found]
    counts = {severity.value: sum(each.severity is severity for each in found) for severity in Severity}
    summary = ", ".join(f"{count} {what}{'s' * (count != 1)}" for what, count in counts.items())
    return "\n".join([*lines, f"{name}: {summary if found else 'nothing to complain about'}"])


def _where(name: str, each: Finding) -> str:
    place = f"{name}:{each.line}:{each.column}" if each.line else name
    return f"{place}: {each.at}" if each.at else place


def as_json(name: str, cdk_version: str, found: Sequence[Finding]) -> str:
    """Return one JSON object: the file, the version of the CDK it was held against, and the findings."""
    told = {"file": name, "cdk_version": cdk_version, "findings": found}
    return msgspec.json.encode(told, enc_hook=str).decode()
