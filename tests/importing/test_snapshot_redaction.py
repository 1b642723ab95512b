from __future__ import annotations

from typing import Any

import pytest

from python.importing.snapshot_redaction import redacted, replaced, without_placeholder
from python.importing.snapshot_settings import Settings
from python.protocol.flow import UUID_PLACEHOLDER


def test_times_and_row_ids_are_never_kept_at_any_depth() -> None:
    document = {"ts": 1, "a": [{"ts": 2, "row_id": 3, "_meta": {"row_id": 4, "op": "u"}}]}

    assert redacted(document, Settings()) == {
        "ts": "redacted-timestamp",
        "a": [{"ts": "redacted-timestamp", "row_id": 3, "_meta": {"row_id": "redacted-rowid", "op": "u"}}],
    }


def test_what_settings_keep_is_kept() -> None:
    document = {"ts": 1, "_meta": {"row_id": 4}}

    assert redacted(document, Settings(keep=("ts", "_meta.row_id"))) == document


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("city", {"home": {"city": "redacted", "zip": 1}, "work": [{"city": "redacted"}], "city_size": 2}),
        ("home.city", {"home": {"city": "redacted", "zip": 1}, "work": [{"city": "b"}], "city_size": 2}),
        ("home", {"home": "redacted", "work": [{"city": "b"}], "city_size": 2}),
        ("city*", {"home": {"city": "redacted", "zip": 1}, "work": [{"city": "redacted"}], "city_size": "redacted"}),
        ("work.city", {"home": {"city": "a", "zip": 1}, "work": [{"city": "redacted"}], "city_size": 2}),
        (
            "*",
            {"home": {"city": "redacted", "zip": "redacted"}, "work": [{"city": "redacted"}], "city_size": "redacted"},
        ),
        ("nowhere", {"home": {"city": "a", "zip": 1}, "work": [{"city": "b"}], "city_size": 2}),
    ],
)
def test_fields_are_named_by_the_end_of_their_path(name: str, expected: Any) -> None:
    document = {"home": {"city": "a", "zip": 1}, "work": [{"city": "b"}], "city_size": 2}

    assert redacted(document, Settings(redact=(name,))) == expected


def test_text_that_matches_is_replaced_wherever_it_stands() -> None:
    value = {"url": "http://127.0.0.1:4711/a", "all": ["port :4711", 4711]}

    assert replaced(value, {r":\d+": ":PORT"}) == {"url": "http://127.0.0.1:PORT/a", "all": ["port :PORT", 4711]}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"_meta": {"uuid": UUID_PLACEHOLDER, "op": "u"}}, {"_meta": {"op": "u"}}),
        ({"n": 1, "_meta": {"uuid": UUID_PLACEHOLDER}}, {"n": 1}),
        ({"_meta": {"uuid": "another"}}, {"_meta": {"uuid": "another"}}),
        (3, 3),
    ],
)
def test_the_placeholder_of_a_uuid_is_no_part_of_a_document(document: Any, expected: Any) -> None:
    assert without_placeholder(document) == expected
