"""Outcomes, told: as a table for people, as JSON, and as JUnit's XML for whoever reads that."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator, Sequence
from xml.sax import saxutils

import msgspec

from python.acceptance.promises import PROMISES
from python.acceptance.verdicts import BLOCKED, FAILED, NOT_APPLICABLE, NOTHING, PASSED, Outcome

__all__ = ["as_json", "as_junit", "as_line", "broken", "summary", "warned"]

_MARKS = {PASSED: "✓", FAILED: "✗", BLOCKED: "?", NOT_APPLICABLE: "-", NOTHING: "-"}
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_line(outcome: Outcome) -> str:
    """Return an outcome for a person: a line, and, where the promise was not kept, what came instead."""
    mark = "!" if warned(outcome) else _MARKS[outcome.verdict]
    promise = outcome.case if outcome.case.startswith(("hostile", "target")) else PROMISES[outcome.rule].sentence
    told = f" ({outcome.verdict}: {outcome.reason})" if outcome.verdict not in (PASSED, FAILED) else ""
    return "\n".join([f"{mark} {outcome.rule:2} {promise}{told}", *_details(outcome)])


def _details(outcome: Outcome) -> Iterator[str]:
    if outcome.verdict != FAILED:
        return
    yield f"       {outcome.reason}"
    yield f"       came:   {outcome.got}"
    yield f"       wanted: {outcome.want}"
    for line in outcome.transcript:
        yield f"       | {line}"


def summary(name: str, outcomes: Sequence[Outcome]) -> str:
    """Return the sum of it all in one line."""
    counts = collections.Counter("warned" if warned(each) else each.verdict for each in outcomes)
    told = [f"{counts[verdict]} {verdict}" for verdict in (PASSED, FAILED, "warned", BLOCKED, NOTHING, NOT_APPLICABLE)]
    return f"{name}: {', '.join(each for each in told if not each.startswith('0 '))}"


def warned(outcome: Outcome) -> bool:
    """Whether a promise was not kept that is only advisable."""
    return outcome.verdict == FAILED and outcome.grade == "A"


def broken(outcomes: Sequence[Outcome], *, strict: bool = False) -> bool:
    """Whether a promise was not kept, or could not be looked at. With `strict`, what is advisable counts, too."""
    return any(
        each.verdict == BLOCKED or (each.verdict == FAILED and (strict or not warned(each))) for each in outcomes
    )


def as_json(name: str, kind: str, outcomes: Sequence[Outcome], *, strict: bool = False) -> bytes:
    """Return one JSON object, over several lines: the connector, its kind, and every outcome with its promise.

    `kept` says the same as the exit status: with `strict`, what is advisable counts, too.
    """
    told = {
        "connector": name,
        "kind": kind,
        "strict": strict,
        "kept": not broken(outcomes, strict=strict),
        "outcomes": [{"promise": PROMISES[each.rule].sentence, **msgspec.structs.asdict(each)} for each in outcomes],
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def as_junit(name: str, outcomes: Sequence[Outcome], *, strict: bool = False) -> str:
    """Return a `testsuite` with a `testcase` for each outcome.

    A warning is in its `system-out`, or a failure with `strict`.
    """
    failed = [each for each in outcomes if broken([each], strict=strict)]
    skipped = [each for each in outcomes if each.verdict in (NOT_APPLICABLE, NOTHING)]
    begin = (
        f'<testsuite name={_attribute(name)} tests="{len(outcomes)}" failures="{len(failed)}" '
        f'skipped="{len(skipped)}" errors="0" time="{sum(each.seconds for each in outcomes):.3f}">'
    )
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            begin,
            *(_case(name, each, advised=warned(each) and not strict) for each in outcomes),
            "</testsuite>",
            "",
        ]
    )


def _case(name: str, outcome: Outcome, *, advised: bool) -> str:
    title = f"rule {outcome.rule}: {outcome.case}"
    begin = f'  <testcase classname={_attribute(name)} name={_attribute(title)} time="{outcome.seconds:.3f}">'
    text = "\n".join([outcome.reason, f"came: {outcome.got}", f"wanted: {outcome.want}", *outcome.transcript])
    inner = {
        PASSED: "",
        NOTHING: f"<skipped message={_attribute(f'{NOTHING}: {outcome.reason}')}/>",
        NOT_APPLICABLE: f"<skipped message={_attribute(outcome.reason)}/>",
        BLOCKED: f"<failure message={_attribute(outcome.reason)}/>",
        FAILED: f"<failure message={_attribute(outcome.reason)}>{_text(text)}</failure>",
    }[outcome.verdict]
    return f"{begin}{f'<system-out>{_text(text)}</system-out>' if advised else inner}</testcase>"


def _text(text: str) -> str:
    return saxutils.escape(_NO_XML.sub("�", text))


def _attribute(text: str) -> str:
    return saxutils.quoteattr(_NO_XML.sub("�", text))
