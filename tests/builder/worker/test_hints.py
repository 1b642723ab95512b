from __future__ import annotations

import json
from typing import Any

import pytest

from python.builder.worker import hints


def manifest(**retriever: Any) -> dict[str, Any]:
    selector = {"extractor": {"type": "DpathExtractor", "field_path": retriever.pop("path", ["data"])}}
    selector.update(retriever.pop("selector", {}))
    stream = {
        "type": "DeclarativeStream",
        "name": "users",
        **retriever.pop("stream", {}),
        "retriever": {"type": "SimpleRetriever", "record_selector": selector, **retriever},
    }
    return {"streams": [stream]}


def page(
    body: Any, records: list[Any] | None = None, *, url: str = "https://h/users", **response: Any
) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {
        "request": {"http_method": "GET", "url": url, "headers": {}, "body": None},
        "response": {"status": 200, "headers": {}, "body": text, **response},
        "records": records or [],
    }


def hinted(wanted: dict[str, Any], *pages: dict[str, Any], limited: bool = False) -> list[str]:
    result = {"slices": [{"pages": list(pages)}], "test_read_limit_reached": limited}
    found = hints.of(result, wanted, "users")
    assert {each["level"] for each in found} <= {"WARN"}
    return [each["message"] for each in found]


ROW = {"id": 1, "name": "x"}
HTML = "<!DOCTYPE html><html><head><title>Log in &amp; go</title></head></html>"


def test_a_good_read_has_no_hints() -> None:
    assert hinted(manifest(), page({"data": [ROW]}, [ROW])) == []


def test_an_html_page_is_told_with_its_title_and_what_may_be_wrong() -> None:
    (hint,) = hinted(manifest(), page(HTML, headers={"Content-Type": "text/html; charset=utf-8"}))

    assert hint.startswith("The answer is not JSON but an HTML page, so no records were found: GET https://h/users")
    assert "answered 200 with text/html; its title is 'Log in & go'." in hint
    assert "authenticate" in hint


@pytest.mark.parametrize(
    ("body", "kind", "advice"),
    [
        ("<users><user/></users>", "XML", "XmlDecoder"),
        ('{"id": 1}\n{"id": 2}\n', "lines of JSON", "JsonlDecoder"),
        ("\x1f\x8b\x08", "a gzip file", "GzipDecoder"),
        ("PK\x03\x04abc", "a ZIP file", "ZipfileDecoder"),
        ("id,name\n1,x\n", "text", "begins with 'id,name 1,x'"),
        ('{"a": ', "broken JSON (Expecting value: line 1 column 7 (char 6))", "begins with"),
        ("[" * 200_000, "broken JSON (nested too deeply)", "answered 200"),
        ("[" + "9" * 5000 + "]", "broken JSON (Exceeds the limit (4300", "answered 200"),
        ("", "nothing at all", "GET https://h/users answered 200."),
    ],
)
def test_another_format_is_told_with_its_decoder(body: str, kind: str, advice: str) -> None:
    (hint,) = hinted(manifest(), page(body))

    assert f"not JSON but {kind}" in hint
    assert advice in hint


def test_what_is_shown_of_a_body_is_never_half_a_word() -> None:
    (hint,) = hinted(manifest(), page("an " + "s3cret" * 30 + " is here"))

    assert "it begins with 'an …'" in hint
    assert "s3cret" not in hint


def test_an_error_of_which_only_the_class_is_told_is_told_whole() -> None:
    log = {
        "level": "ERROR",
        "message": "An unexpected error occurred in stream users: UndefinedError",
        "internal_message": "'dict object' has no attribute 'x'. Context: {'api_key': 's3cret'}\nmore",
    }

    (found,) = hints.of({"logs": [log, {"level": "INFO"}, None]}, manifest(), "users")

    assert found["message"] == "UndefinedError: 'dict object' has no attribute 'x'."


def test_a_format_that_the_decoder_wants_is_no_reason_to_warn() -> None:
    assert hinted(manifest(decoder={"type": "XmlDecoder"}), page("<a/>")) == []


def test_an_error_of_the_server_is_left_to_the_errors() -> None:
    assert hinted(manifest(), page(HTML, status=500)) == []


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        (
            ["dta"],
            {"data": [ROW], "n": 1},
            "at the root there is no 'dta'; there are 'data', 'n'. Did you mean 'data'?",
        ),
        (["a", "rows"], {"a": {"items": []}}, "at [a] there is no 'rows'; there are 'items'."),
        (["a", "b"], {"a": {}}, "at [a] there is no 'b'; there are no keys at all."),
        (["data"], [ROW], "at the root there is a list, which has no 'data'; use '*' for each of its items."),
        (["a", "b"], {"a": "text"}, "at [a] there is a text, which has no 'b'."),
        (["a"], {"a": None}, "at [a] there is null, where a list or an object was wanted."),
        (["a"], {"a": 5}, "at [a] there is a number, where a list or an object was wanted."),
    ],
)
def test_a_field_path_that_leads_nowhere_is_told_with_the_keys_there(path: list[str], body: Any, told: str) -> None:
    hint = hinted(manifest(path=path), page(body))[0]

    assert hint.startswith(f"The answer is without what the field path [{', '.join(path)}] names: ")
    assert told in hint


def test_lists_elsewhere_are_told_with_their_length() -> None:
    (hint,) = hinted(manifest(path=["rows"]), page({"result": {"users": [ROW] * 3}, "other": [ROW]}))

    assert "Lists of records are at [result, users] (3), [other] (1)." in hint


def test_only_answers_that_miss_are_counted() -> None:
    hint = hinted(manifest(), page({"data": [ROW]}, [ROW]), page({"error": "no"}), page({"error": "no"}))[0]

    assert hint.startswith("2 of 3 answers are without what the field path [data] names")


@pytest.mark.parametrize("path", [["*", "data"], ["{{ config['x'] }}"], ["d[ae]ta"]])
def test_a_field_path_that_cannot_be_followed_plainly_says_nothing(path: list[str]) -> None:
    assert hinted(manifest(path=path), page({"x": 1})) == []


def test_a_filter_that_lets_nothing_through_is_told() -> None:
    wanted = manifest(selector={"record_filter": {"condition": "{{ record.id > 5 }}"}})

    (hint,) = hinted(wanted, page({"data": [ROW, ROW]}))

    assert hint == "The answer has 2 records at [data], and the record filter lets none through: {{ record.id > 5 }}"


def test_an_empty_list_beside_a_full_one_is_told() -> None:
    (hint,) = hinted(manifest(), page({"data": [], "users": [ROW]}))

    assert hint == "The list at [data] is empty; lists that are not: [users] (1)."


def test_a_list_that_is_empty_alone_says_nothing() -> None:
    assert hinted(manifest(), page({"data": []})) == []


def test_a_path_that_ends_above_the_records_is_told() -> None:
    body = {"meta": 1, "users": [ROW, ROW]}

    (hint,) = hinted(manifest(path=[]), page(body, [body]))

    assert "holds a list of 2 objects at [users]" in hint
    assert "the field path is [users]" in hint


@pytest.mark.parametrize(("second", "told"), [("https://h/users", "was the same"), ("https://h/users?p=2", "differ")])
def test_pagination_that_does_not_move_is_told(second: str, told: str) -> None:
    rows = [{"id": 1}, {"id": 2}]
    wanted = manifest(paginator={"type": "DefaultPaginator"})

    (hint,) = hinted(wanted, page({"data": rows}, rows), page({"data": rows}, rows, url=second))

    assert "Page 1 and the one after it have the same 2 records: the pagination does not move" in hint
    assert told in hint


@pytest.mark.parametrize(
    "body",
    [{"next": "https://h?p=2"}, {"links": {"next": "x"}}, {"has_more": True}, {"meta": {"next_page_token": "x"}}],
)
def test_more_pages_without_a_paginator_are_told(body: dict[str, Any]) -> None:
    (hint,) = hinted(manifest(), page({"data": [ROW], **body}, [ROW]))

    assert "the stream has no paginator" in hint


@pytest.mark.parametrize("body", [{"next": None}, {"has_more": False}, {"next": ""}, {"nextgen": "x"}])
def test_the_last_page_is_no_reason_to_warn(body: dict[str, Any]) -> None:
    assert hinted(manifest(), page({"data": [ROW], **body}, [ROW])) == []


def test_a_primary_key_that_records_lack_or_share_is_told() -> None:
    rows = [{"id": 1}, {"id": 1}, {"ID": 2}]

    found = hinted(manifest(stream={"primary_key": "id"}), page({"data": rows}, rows))

    assert found == [
        "1 of 3 records have no primary key [id]; the first of them has 'ID'.",
        "2 records share the primary key [1]: it does not tell records apart.",
    ]


def test_a_composite_key_that_tells_apart_says_nothing() -> None:
    rows = [{"a": 1, "b": 1}, {"a": 1, "b": 2}]

    assert hinted(manifest(stream={"primary_key": ["a", "b"]}), page({"data": rows}, rows)) == []


def test_a_cursor_field_that_records_lack_is_told() -> None:
    wanted = manifest(stream={"incremental_sync": {"type": "DatetimeBasedCursor", "cursor_field": "updated_at"}})

    (hint,) = hinted(wanted, page({"data": [ROW]}, [ROW]))

    assert hint == "1 of 1 records have no cursor field [updated_at]; the first of them has 'id', 'name'."


def test_a_limit_is_told_with_what_was_read() -> None:
    (hint,) = hinted(manifest(), page({"data": [ROW]}, [ROW]), limited=True)

    assert hint.startswith("A limit of this test read was reached after 1 records in 1 pages of 1 slices")


def test_partitions_that_give_no_slice_are_told() -> None:
    wanted = manifest(partition_router={"type": "ListPartitionRouter", "values": []})

    (found,) = hints.of({"slices": []}, wanted, "users")

    assert found["message"].startswith("No slice was read: the partition router gave none.")


def test_references_and_parameters_of_a_manifest_are_followed() -> None:
    wanted = {
        "definitions": {
            "users": {"$parameters": {"name": "users"}, "retriever": {"$ref": "#/definitions/retriever"}},
            "retriever": {"type": "SimpleRetriever", "record_selector": "#/definitions/selector"},
            "selector": {"extractor": {"field_path": ["dta"]}},
        },
        "streams": ["#/definitions/users"],
    }

    assert "Did you mean 'data'?" in hinted(wanted, page({"data": [ROW]}))[0]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"streams": None},
        {"streams": [None, 1, "users", {"name": "users"}]},
        {"streams": [{"name": "users", "retriever": {"record_selector": [], "paginator": 5}}]},
        {"streams": [{"name": "users", "$ref": "#/streams/0"}]},
        {"streams": [{"name": "users", "primary_key": [[], {}], "retriever": {"$ref": "#/nowhere"}}]},
    ],
)
def test_any_manifest_is_taken(wanted: dict[str, Any]) -> None:
    hinted(wanted, page({"data": [ROW]}, [ROW]), page(HTML))


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"slices": None},
        {"slices": [{"pages": None}]},
        {"slices": [{"pages": [{"records": [1, None]}, {"request": None, "response": None}]}]},
        {"slices": [{"pages": [{"response": {"status": None, "body": {"a": 1}, "headers": None}}]}]},
        {"slices": [{"pages": [page("[" * 5000)]}]},
    ],
)
def test_any_result_is_taken(result: dict[str, Any]) -> None:
    hints.of(result, manifest(), "users")
