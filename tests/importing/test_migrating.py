from __future__ import annotations

from typing import Any

import pytest

from python.importing.migrating import Outcome, judged, lost_parts
from python.importing.stored_states import Bound

WHOLE = {"[1]": "2024-01-01", "[2]": "2024-01-02", "[3]": "2024-01-03"}


def bound(**given: Any) -> Bound:
    return Bound(**{"name": "a", "collection": "acmeCo/a", "state_key": "a", "streams": ("a",), **given})


def outcome(
    cursor: Any, came: Any, whole: Any = None, after: Any = None, field: str | None = "at"
) -> tuple[Outcome, str]:
    states = {"a": cursor}, {"a": after or {}}
    (fate,) = judged([bound(cursor_field=field)], states, [(WHOLE if whole is None else whole, came)])
    return fate.outcome, fate.why


def these(*keys: str) -> dict[str, Any]:
    return {key: WHOLE[key] for key in keys}


AT = {"at": "2024-01-02T00:00:00Z"}


def test_what_comes_behind_the_cursor_alone_resumes() -> None:
    assert outcome(AT, these("[3]")) == (Outcome.RESUMES, "1 of 3 documents came again")


def test_what_stands_at_the_cursor_or_a_little_before_it_may_come_again() -> None:
    assert outcome({"at": "2024-01-03"}, these("[2]", "[3]"))[0] is Outcome.RESUMES


def test_what_is_covered_and_all_comes_again_restarts() -> None:
    assert outcome(AT, WHOLE)[0] is Outcome.RESTARTS


def test_what_lies_behind_the_cursor_and_does_not_come_is_lost() -> None:
    found = outcome(AT, {})

    assert found == (Outcome.LOST, "1 documents behind the cursor did not come, such as [3]")


def test_where_nothing_lies_before_the_cursor_all_may_come() -> None:
    assert outcome({"at": "2023-01-01"}, WHOLE)[0] is Outcome.RESUMES


@pytest.mark.parametrize("cursor", [{"page": 3}, {"at": {"nested": 1}}])
def test_a_state_without_a_value_of_the_cursor_field_is_judged_by_what_comes(cursor: Any) -> None:
    assert outcome(cursor, these("[3]")) == (Outcome.RESUMES, "1 of 3 documents came again: the last ones")
    assert outcome(cursor, WHOLE)[0] is Outcome.RESTARTS
    assert outcome(cursor, WHOLE, after=cursor)[0] is Outcome.RESUMES


@pytest.mark.parametrize(("came", "gone"), [(["[1]"], "[2]"), (["[1]", "[3]"], "[2]"), ([], "[1]")])
def test_documents_that_are_missing_without_a_cursor_to_tell_why_are_unclear(came: list[str], gone: str) -> None:
    for after in (None, {"page": 3}):
        found, why = outcome({"page": 3}, these(*came), after=after)
        assert found is Outcome.UNCLEAR
        assert why.endswith(f"whether it covers those that did not come, such as {gone}, nobody can tell")


def test_new_documents_alone_do_not_show_that_those_without_a_cursor_were_captured_before() -> None:
    found, why = outcome({"page": 3}, {"[4]": "2024-01-04"})

    assert found is Outcome.UNCLEAR
    assert why.startswith("0 of 3 documents came again, and 1 new ones, and the state has no value of a cursor field")


@pytest.mark.parametrize(
    ("cursor", "values", "gone"),
    [
        (7, ["2024-01-01", "2024-01-02", "2024-01-03"], 0),
        ("b", [1, 2, 3], 0),
        ("2024-01-02", [1704067200, 1704153600, 1704240000], 0),
        ("B", ["a", "b", "c"], 0),
        ("a9", ["a8", "a9", "a10"], 2),
        ("2024-01-02", [None, "2024-01-02", "2024-01-03"], 0),
        ("10", ["2", "10", "11"], 0),
        ("10", ["9.5", "10", "11"], 0),
    ],
)
def test_what_is_missing_and_cannot_be_held_against_the_cursor_is_unclear(
    cursor: Any, values: list[Any], gone: int
) -> None:
    whole = {f"[{number}]": value for number, value in enumerate(values)}
    came = {key: value for key, value in whole.items() if key != f"[{gone}]"}

    assert outcome({"at": cursor}, came, whole)[0] is Outcome.UNCLEAR


def test_what_cannot_be_held_against_the_cursor_is_named() -> None:
    assert outcome({"at": 7}, these("[3]")) == (
        Outcome.UNCLEAR,
        (
            "1 of 3 documents came again, and 2 that did not come cannot be held against the cursor, such as [1] with "
            "2024-01-01"
        ),
    )
    assert outcome({"at": 7}, WHOLE) == (
        Outcome.UNCLEAR,
        "3 of 3 documents came again, and 3 cannot be held against the cursor, such as [1] with 2024-01-01",
    )


def test_where_nothing_comes_without_a_state_either_nobody_can_tell() -> None:
    assert outcome(AT, {}, {})[0] is Outcome.UNCLEAR


def test_numbers_that_are_stored_as_text_are_numbers() -> None:
    whole = {"[1]": 9, "[2]": 10, "[3]": "11"}

    assert outcome({"at": "10"}, {"[2]": 10, "[3]": "11"}, whole)[0] is Outcome.RESUMES
    assert outcome({"at": "10"}, {"[1]": 9, "[2]": 10}, whole)[0] is Outcome.LOST


def test_plain_text_is_held_against_text_where_every_order_agrees() -> None:
    whole = {"[1]": "item-a", "[2]": "item-b", "[3]": "item-c"}

    assert outcome({"at": "item-b"}, {"[3]": "item-c"}, whole)[0] is Outcome.RESUMES
    assert outcome({"at": "item-b"}, {"[1]": "item-a"}, whole)[0] is Outcome.LOST


def test_numbers_are_held_against_numbers() -> None:
    whole = {"[1]": 9, "[2]": 10}

    assert outcome({"at": 9.5}, {"[2]": 10}, whole)[0] is Outcome.RESUMES
    assert outcome({"at": 9.5}, {"[1]": 9}, whole)[0] is Outcome.LOST


def test_a_binding_without_a_part_begins_and_one_that_is_read_whole_refreshes() -> None:
    fates = judged(
        [bound(name="new", state_key="new", streams=("new",)), bound(refreshed=True)], ({"a": AT}, {}), [({}, {})] * 2
    )

    assert [fate.outcome for fate in fates] == [Outcome.BEGINS, Outcome.REFRESHES]
    assert all(fate.outcome.is_well for fate in fates)


def test_what_no_binding_captures_is_lost() -> None:
    assert [(fate.name, fate.outcome) for fate in lost_parts([bound()], {"a": AT, "gone": AT})] == [
        ("gone", Outcome.LOST)
    ]


@pytest.mark.parametrize(("state", "count"), [({}, 0), ([], 0), ({"bindingStateV1": {}}, 0), ({"n": 1}, 1), ([7], 1)])
def test_a_state_that_nobody_understands_is_lost_as_a_whole(state: Any, count: int) -> None:
    assert len(lost_parts([bound()], state)) == count
