"""Every case can fail: small connectors, each with one defect, and the rule that it breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from python.acceptance import discover_cases, suite
from python.acceptance.promises import CAPTURE, DERIVATION, MATERIALIZATION, PROMISES
from python.acceptance.verdicts import FAILED, NOT_APPLICABLE, NOTHING, PASSED
from tests.acceptance import subjects

pytestmark = pytest.mark.slow

OF_CAPTURES: dict[str, int] = {
    "list": 1,
    "banner": 2,
    "blank line": 2,
    "no last newline": 3,
    "two kinds": 4,
    "unknown member": 5,
    "key twice": 6,
    "null": 7,
    "text for a schema": 8,
    "proto names": 9,
    "internal": 10,
    "binding out of range": 11,
    "NaN": 12,
    "known members": 13,
    "wants zeros": 14,
    "one request": 15,
    "wants a config": 16,
    "another protocol": 17,
    "no schema": 18,
    "closed config": 19,
    "no documentation": 20,
    "pointer to nothing": 21,
    "token is no secret": 23,
    "no title": 24,
    "credentials are optional": 25,
    "open tag": 26,
    "unknown variable": 26,
    "spec of its own": 27,
    "two answers": 28,
    "hangs": 29,
    "silent failure": 30,
    "good status of a failure": 30,
    "no name": 31,
    "no resource": 32,
    "one resource twice": 33,
    "lists": 34,
    "no key": 35,
    "key of objects": 35,
    "key is not there": 35,
    "name with spaces": 36,
    "names of its own": 37,
    "flag is text": 38,
    "sorted answers": 39,
    "paths of its own": 40,
    "any config": 41,
    "nothing came before": 42,
    "applies once": 45,
    "applies for ever": 46,
    "says nothing of it": 47,
    "early document": 48,
    "answer amid": 49,
    "text for a number": 50,
    "other key": 51,
    "uuid": 52,
    "no last checkpoint": 53,
    "nothing updated": 54,
    "patch in words": 55,
    "nulls": 56,
    "gap": 57,
    "state by name": 58,
    "every binding starts over": 58,
    "wants bindings": 59,
    "state by number": 60,
    "waits for the end of stdin": 61,
    "one acknowledgement each": 62,
    "large document": 63,
    "open schema": 64,
    "shards overlap": 65,
    "shards leave out": 65,
    "complete alone": 66,
    "every shard marks": 66,
    "lock file": 67,
    "deaf": 67,
    "bad end": 68,
    "plain logs": 80,
    "level of its own": 81,
    "fields are a list": 82,
    "event of its own": 83,
    "logs secrets": 84,
    "refers to its secrets": 84,
    "no trace": 85,
    "Latin logs": 86,
    "no answer": 90,
}
"""Each defect of `defects/capture.py`, and the rule whose case has to see it."""

OF_DERIVATIONS: dict[str, int] = {
    "pointers": 22,
    "one transform less": 44,
    "relative file": 44,
    "flushes by itself": 69,
    "commits twice": 69,
    "never flushed": 69,
    "late documents": 70,
    "no key": 71,
    "remembers": 71,
}
OF_MATERIALIZATIONS: dict[str, int] = {
    "pointers": 22,
    "the name is optional": 22,
    "no reasons": 43,
    "a type of its own": 43,
    "strange field": 43,
    "never acknowledged": 72,
    "loads twice": 73,
    "loads at random": 73,
    "flushes twice": 74,
    "acknowledges once": 75,
    "JSON keys alone": 76,
    "keeps the first": 77,
    "loads deltas": 77,
    "another checkpoint": 78,
    "no fence": 78,
    "bad end": 79,
}
"""The same for the others, as far as their rules are not those of captures, too."""

ELSEWHERE = {87, 88, 89}
"""Rules of images: see `test_image_cases`."""


SUBJECTS = {
    CAPTURE: (subjects.capture, OF_CAPTURES),
    DERIVATION: (subjects.derivation, OF_DERIVATIONS),
    MATERIALIZATION: (subjects.materialization, OF_MATERIALIZATIONS),
}
DEFECTS = [(kind, defect) for kind, (_, defects) in SUBJECTS.items() for defect in defects]
WAITING = ("hangs", "deaf", "waits for the end of stdin", "never flushed", "never acknowledged")


@pytest.mark.parametrize(("kind", "defect"), DEFECTS)
def test_the_case_of_a_rule_sees_a_defect(kind: str, defect: str, tmp_path: Path) -> None:
    make, defects = SUBJECTS[kind]
    subject = make(tmp_path, defect, subjects.IMPATIENT if defect in WAITING else subjects.QUICK)
    cases = [case for case in suite.CASES if case in suite.cases_of(kind, [defects[defect]])]

    assert FAILED in [suite.checked(subject, case).verdict for case in cases]


@pytest.mark.parametrize("kind", SUBJECTS)
def test_a_connector_without_defects_keeps_every_promise(kind: str, tmp_path: Path) -> None:
    subject = SUBJECTS[kind][0](tmp_path, "none")
    outcomes = list(suite.run(subject, suite.cases_of(kind)))
    kept = (PASSED,) if kind == CAPTURE else (PASSED, NOT_APPLICABLE)

    assert [each for each in outcomes if each.verdict not in kept and each.rule not in ELSEWHERE] == []
    assert {each.verdict for each in outcomes if each.rule in ELSEWHERE} == {NOT_APPLICABLE}


def test_every_rule_has_a_defect() -> None:
    seen = {*OF_CAPTURES.values(), *OF_DERIVATIONS.values(), *OF_MATERIALIZATIONS.values()}

    assert set(PROMISES) - seen == ELSEWHERE


def test_where_nothing_is_discovered_no_promise_about_it_passes(tmp_path: Path) -> None:
    subject = subjects.capture(tmp_path, "discovers nothing")
    outcomes = [suite.checked(subject, case) for case in discover_cases.CASES]

    assert [(each.rule, each.verdict) for each in outcomes] == [(rule, NOTHING) for rule in range(31, 39)]


def test_a_connector_that_is_slow_to_open_is_given_its_acknowledgements_late(tmp_path: Path) -> None:
    subject = subjects.capture(tmp_path, "slow start")
    (case,) = (case for case in suite.CASES if case.rule == 62)

    assert suite.checked(subject, case).verdict == PASSED


def test_a_connector_that_goes_on_after_nonsense_is_seen(tmp_path: Path) -> None:
    subject = subjects.capture(tmp_path, "lenient")
    cases = suite.cases_of(CAPTURE, pattern="hostile: (no-json|null)")

    assert [suite.checked(subject, case).verdict for case in cases] == [FAILED] * 2
