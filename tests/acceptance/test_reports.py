from __future__ import annotations

import json
from xml.etree import ElementTree as ET

from python.acceptance import reports
from python.acceptance.verdicts import BLOCKED, FAILED, NOT_APPLICABLE, NOTHING, PASSED, Outcome

KEPT = Outcome(rule=1, grade="R", case="lines are objects", verdict=PASSED, seconds=0.5)
BROKEN = Outcome(
    rule=2,
    grade="R",
    case="nothing else is printed",
    verdict=FAILED,
    reason="something else is on stdout",
    got="<hello>\x00",
    want="messages",
    transcript=("> {", "< hello & goodbye"),
)
ADVISED = Outcome(rule=24, grade="A", case="forms", verdict=FAILED, reason="/a has no title", got="a", want="b")
LEFT_OUT = Outcome(rule=87, grade="R", case="labels", verdict=NOT_APPLICABLE, reason="it is no image")
STUCK = Outcome(rule=50, grade="R", case="valid", verdict=BLOCKED, reason="it needs a session")
EMPTY = Outcome(rule=33, grade="P", case="paths", verdict=NOTHING, reason="no bindings are discovered")
ALL = [KEPT, BROKEN, ADVISED, LEFT_OUT, STUCK, EMPTY]


def test_a_kept_promise_is_one_line_and_a_broken_one_shows_what_came() -> None:
    assert reports.as_line(KEPT) == "✓  1 each line of stdout is one JSON object"
    assert reports.as_line(BROKEN).splitlines() == [
        "✗  2 nothing else is printed to stdout: no banner, no blank line",
        "       something else is on stdout",
        "       came:   <hello>\x00",
        "       wanted: messages",
        "       | > {",
        "       | < hello & goodbye",
    ]
    assert reports.as_line(ADVISED).startswith("! 24 ")
    assert reports.as_line(LEFT_OUT).endswith("(not applicable: it is no image)")
    assert reports.as_line(EMPTY).endswith("(nothing to check: no bindings are discovered)")


def test_the_sum_counts_each_verdict() -> None:
    assert (
        reports.summary("x", ALL)
        == "x: 1 passed, 1 failed, 1 warned, 1 not reached, 1 nothing to check, 1 not applicable"
    )
    assert reports.summary("x", [KEPT]) == "x: 1 passed"


def test_what_is_advisable_breaks_nothing_unless_it_is_to() -> None:
    assert not reports.broken([KEPT, ADVISED, LEFT_OUT, EMPTY])
    assert reports.broken([ADVISED], strict=True)
    assert reports.broken([BROKEN])
    assert reports.broken([STUCK])


def test_json_has_every_outcome_with_its_promise() -> None:
    found = json.loads(reports.as_json("x", "capture", ALL))

    assert (found["connector"], found["kind"], found["kept"]) == ("x", "capture", False)
    assert [each["rule"] for each in found["outcomes"]] == [1, 2, 24, 87, 50, 33]
    assert found["outcomes"][1]["transcript"] == ["> {", "< hello & goodbye"]
    assert found["outcomes"][0]["promise"] == "each line of stdout is one JSON object"


def test_both_files_say_what_the_exit_status_says_of_what_is_advisable() -> None:
    for strict in (False, True):
        told = json.loads(reports.as_json("x", "capture", [ADVISED], strict=strict))
        suite = ET.fromstring(reports.as_junit("x", [ADVISED], strict=strict))  # noqa: S314 -- our own

        assert (told["strict"], told["kept"]) == (strict, not strict)
        assert (suite.get("failures"), suite[0][0].tag) == (("1", "failure") if strict else ("0", "system-out"))


def test_junit_is_xml_whatever_the_connector_says() -> None:
    suite = ET.fromstring(reports.as_junit("x & y", ALL))  # noqa: S314 -- our own

    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("6", "2", "2")
    assert [len(case) for case in suite] == [0, 1, 1, 1, 1, 1]
    assert "<hello>�" in (suite[1][0].text or "")
    assert suite[2][0].tag == "system-out"
