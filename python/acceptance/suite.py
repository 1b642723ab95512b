"""The suite of a connector: which cases concern it, and what comes of each. `target_suite` is that of endpoints."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence

from python.acceptance import (
    capture_cases,
    derive_cases,
    discover_cases,
    hostile_cases,
    image_cases,
    log_cases,
    materialize_cases,
    request_cases,
    resume_cases,
    spec_cases,
    task_cases,
    wire_cases,
)
from python.acceptance.cases import Case
from python.acceptance.promises import PROMISES
from python.acceptance.subject import Subject
from python.acceptance.transcripts import Transcript
from python.acceptance.verdicts import (
    BLOCKED,
    FAILED,
    NOT_APPLICABLE,
    NOTHING,
    PASSED,
    BrokenError,
    NotApplicableError,
    NothingError,
    Outcome,
    excerpt,
    shortened,
)
from python.protocol.errors import HeadwaterError

__all__ = ["CASES", "cases_of", "checked", "run"]

CASES: Sequence[Case] = (
    *wire_cases.CASES,
    *spec_cases.CASES,
    *request_cases.CASES,
    *task_cases.CASES,
    *discover_cases.CASES,
    *capture_cases.CASES,
    *resume_cases.CASES,
    *derive_cases.CASES,
    *materialize_cases.CASES,
    *log_cases.CASES,
    *image_cases.CASES,
)
"""Every case but the hostile ones, which are files."""


def cases_of(kind: str, rules: Sequence[int] = (), pattern: str = "", more: Sequence[Case] = ()) -> list[Case]:
    """Return the cases for a kind of task and `more`, by their rules: of these `rules` only, where there are any.

    `pattern` is a regular expression to find in the name of a case, or in its promise; another raises HeadwaterError.
    """
    try:
        wanted = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise HeadwaterError(f"-k {pattern}: is no regular expression: {error}") from None
    found = [
        case
        for case in (*CASES, *hostile_cases.cases(), *more)
        if kind in (case.kinds or PROMISES[case.rule].kinds)
        and (not rules or case.rule in rules)
        and wanted.search(f"{case.name}: {PROMISES[case.rule].sentence}")
    ]
    return sorted(found, key=lambda case: case.rule)


def run(subject: Subject, cases: Sequence[Case]) -> Iterator[Outcome]:
    """Yield what comes of each case; none keeps the others from running."""
    for case in cases:
        yield checked(subject, case)


def checked(subject: Subject, case: Case) -> Outcome:
    """Return what comes of a case; what is told of it has no secrets of the config."""
    began = time.monotonic()
    verdict: str = PASSED
    told: dict[str, str] = {}
    transcript: Transcript | None = None
    try:
        case.check(subject)
    except BrokenError as broken:
        verdict, told = FAILED, {"reason": broken.sentence, "got": broken.got, "want": broken.want}
        transcript = broken.transcript
    except NotApplicableError as error:
        verdict, told = NOT_APPLICABLE, {"reason": str(error)}
    except NothingError as error:
        verdict, told = NOTHING, {"reason": str(error)}
    except HeadwaterError as error:
        verdict, told = BLOCKED, {"reason": str(error)}
    except Exception as error:  # noqa: BLE001 -- a mistake in a case is told, and the other cases run
        verdict, told = BLOCKED, {"reason": f"the case itself failed, which is a mistake in it: {error!r}"}
    return Outcome(
        rule=case.rule,
        grade=PROMISES[case.rule].grade,
        case=case.name,
        verdict=verdict,
        seconds=time.monotonic() - began,
        transcript=tuple(excerpt(transcript, subject.scrubber.text)),
        **{name: shortened(subject.scrubber.text(text)) for name, text in told.items()},
    )
