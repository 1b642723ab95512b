from __future__ import annotations

import json
from typing import Any

from python.importing.migrating import Fate, Outcome
from python.importing.migration_report import FORMS, Report


def report(*fates: Fate, **given: Any) -> Report:
    return Report(name="acmeCo/x", form="a tap's own", fates=fates, **{"allowed": frozenset(), **given})


RESUMES = Fate(name="a", collection="acmeCo/a", outcome=Outcome.RESUMES, cursor="3", why="1 of 2 documents came again")
RESTARTS = Fate(name="longer", collection="acmeCo/b", outcome=Outcome.RESTARTS, cursor="4", why="all came again")
GONE = Fate(name="gone", collection="", outcome=Outcome.LOST, why="no binding captures it")
BEHIND = Fate(name="c", collection="acmeCo/c", outcome=Outcome.LOST, why="2 documents did not come")


def test_a_table_marks_what_does_not_go_on() -> None:
    assert FORMS["table"](report(RESUMES, RESTARTS)).splitlines() == [
        "acmeCo/x with a state that is a tap's own",
        "",
        "  a       resumes from 3: 1 of 2 documents came again",
        "! longer  restarts: all came again",
        "          it had 4",
        "",
        "1 of 2 do not go on.",
    ]


def test_what_nobody_can_tell_is_marked_apart_and_is_not_well() -> None:
    unclear = Fate(name="u", collection="acmeCo/u", outcome=Outcome.UNCLEAR, cursor="7", why="nobody can tell")
    told = FORMS["table"](report(RESUMES, RESTARTS, unclear)).splitlines()

    assert "? u       unclear: nobody can tell" in told
    assert told[-2:] == [
        "1 of 3 do not go on.",
        "Of 1 of 3 nobody can tell: hold what they capture against what is there.",
    ]
    assert not report(unclear, allowed=frozenset({"u"})).is_well
    assert FORMS["table"](report(RESUMES, unclear)).count("do not go on") == 0


def test_what_the_user_allows_is_fine_but_documents_that_are_lost_never_are() -> None:
    allowed = report(RESTARTS, GONE, allowed=frozenset({"longer", "gone"}))
    lost = report(BEHIND, allowed=frozenset({"c"}))

    assert (allowed.is_well, lost.is_well) == (True, False)
    assert "longer  restarts (allowed): all came again" in FORMS["table"](allowed)


def test_a_refusal_is_told_and_is_not_well() -> None:
    refused = report(RESUMES, refusal="no such state")

    assert "The connector says: no such state" in FORMS["table"](refused)
    assert json.loads(FORMS["json"](refused))["fine"] is False


def test_json_has_every_binding() -> None:
    (binding,) = json.loads(FORMS["json"](report(RESUMES)))["bindings"]

    assert binding == {
        "name": "a",
        "collection": "acmeCo/a",
        "outcome": "resumes",
        "cursor": "3",
        "why": "1 of 2 documents came again",
        "fine": True,
    }
