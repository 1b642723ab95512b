"""Every rule of the protocol reference has its case."""

from __future__ import annotations

from pathlib import Path

import pytest

from python.acceptance import suite
from python.acceptance.cases import Case
from python.acceptance.hostile_cases import read
from python.acceptance.promises import EVERY, PROMISES, UNSEEN
from python.acceptance.verdicts import BLOCKED, BlockedError, BrokenError
from python.protocol.errors import HeadwaterError
from tests.acceptance import subjects


def test_every_rule_is_checked_for_every_kind_of_task_that_it_concerns() -> None:
    checked = {(case.rule, kind) for case in suite.CASES for kind in case.kinds or PROMISES[case.rule].kinds}

    assert checked == {(rule, kind) for rule, promise in PROMISES.items() for kind in promise.kinds}
    assert set(PROMISES) == set(range(1, 91))


def test_what_a_black_box_does_not_show_of_a_rule_has_its_reason() -> None:
    assert set(UNSEEN) <= set(PROMISES)
    assert all(len(reason) > 20 for reason in UNSEEN.values())


def test_every_case_has_a_name_of_its_own() -> None:
    for kind in EVERY:
        names = [(case.rule, case.name) for case in suite.cases_of(kind)]
        assert len(names) == len(set(names))


def test_hostile_files_are_whole_and_of_known_words() -> None:
    found = read()

    assert len(found) > 80
    assert {each.expect for each in found.values()} == {"refused", "answered", "survived"}
    assert {each.after for each in found.values()} == {"start", "spec", "open"}
    assert {kind for each in found.values() for kind in each.kinds} == set(EVERY)
    assert {each.rule for each in found.values()} <= set(PROMISES)


def test_rules_and_patterns_choose_cases() -> None:
    assert [case.name for case in suite.cases_of("capture", [17])] == ["the protocol's number"]
    assert {case.rule for case in suite.cases_of("capture", pattern="NaN and|Infinity")} == {12}
    with pytest.raises(HeadwaterError, match="-k \\(: is no regular expression"):
        suite.cases_of("capture", pattern="(")


def test_a_case_that_fails_itself_is_told_and_keeps_no_other_from_running(tmp_path: Path) -> None:
    def blocked(_: object) -> None:
        raise BlockedError("it needs what is not there")

    def mistaken(_: object) -> None:
        raise ZeroDivisionError

    cases = [Case(1, "mistaken", mistaken), Case(2, "blocked", blocked)]
    outcomes = list(suite.run(subjects.capture(tmp_path, "none"), cases))

    assert [each.verdict for each in outcomes] == [BLOCKED, BLOCKED]
    assert "ZeroDivisionError" in outcomes[0].reason
    assert outcomes[1].reason == "it needs what is not there"


@pytest.mark.parametrize("defect", ["none", "text for a schema", "hostile schema"])
def test_what_is_told_of_a_case_has_no_secrets_whatever_spec_says_of_them(defect: str, tmp_path: Path) -> None:
    def broken(_: object) -> None:
        raise BrokenError(f"{subjects.TOKEN} came", got={"a": subjects.TOKEN}, want=f"no {'other-' * 200}")

    subject = subjects.capture(tmp_path, defect)
    subject.protect({"credentials": {"token": "other-other"}})
    outcome = suite.checked(subject, Case(1, "broken", broken))

    assert (outcome.reason, outcome.got) == ("**** came", "{'a': '****'}")
    assert outcome.want == f"no {'****-' * 100}"
