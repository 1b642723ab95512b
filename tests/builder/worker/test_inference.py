from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from airbyte_cdk.models import AirbyteRecordMessage  # type: ignore[attr-defined] # from another package, by a star
from airbyte_cdk.utils.datetime_format_inferrer import DatetimeFormatInferrer
from airbyte_cdk.utils.schema_inferrer import SchemaInferrer
from hypothesis import given
from hypothesis import strategies as st

from python.builder.worker.inference import inferred

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), min_size=1, max_size=4)


def properties(*records: dict[str, Any], keys: Any = ()) -> Any:
    schema, _ = inferred(records, keys)
    assert schema is not None
    return schema.get("properties")


@pytest.mark.parametrize(
    ("values", "schema"),
    [
        ([1, 2], {"type": ["integer", "null"]}),
        ([1, 2.5], {"type": ["number", "null"]}),
        ([1.0], {"type": ["number", "null"]}),
        ([True, False], {"type": ["boolean", "null"]}),
        ([True, 1], {"type": ["boolean", "integer", "null"]}),
        (["a", None], {"type": ["string", "null"]}),
        ([1, "a"], {"type": ["integer", "string", "null"]}),
        ([{"b": 1}, {"c": None}], {"type": ["object", "null"], "properties": {"b": {"type": ["integer", "null"]}}}),
        ([[1, 2.5], []], {"type": ["array", "null"], "items": {"type": ["number", "null"]}}),
        ([[None], []], {"type": ["array", "null"]}),
        ([{}], {"type": ["object", "null"]}),
        ([1, {}], {"anyOf": [{"type": ["integer", "null"]}, {"type": ["object", "null"]}]}),
        (["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5+01:00"], {"type": ["string", "null"], "format": "date-time"}),
        (["2026-01-31", None], {"type": ["string", "null"], "format": "date"}),
        (["2026-01-31", "x"], {"type": ["string", "null"]}),
        (["123e4567-e89b-12d3-a456-426614174000"], {"type": ["string", "null"], "format": "uuid"}),
        (["me@example.com"], {"type": ["string", "null"], "format": "email"}),
        (["https://example.com/x?a=1"], {"type": ["string", "null"], "format": "uri"}),
        (["10.0.0.1"], {"type": ["string", "null"], "format": "ipv4"}),
        ([""], {"type": ["string", "null"]}),
    ],
)
def test_a_field_has_the_schema_that_all_its_values_obey(values: list[Any], schema: dict[str, Any]) -> None:
    assert properties(*({"a": value} for value in values)) == {"a": schema}


def test_a_field_that_is_only_null_is_left_out() -> None:
    assert properties({"a": None, "b": 1}) == {"b": {"type": ["integer", "null"]}}


def test_keys_are_required_and_not_null() -> None:
    schema, _ = inferred([{"id": 1, "at": {"day": "x"}}], [["id"], ["at", "day"], ["missing"]])

    assert schema == {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "at": {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
        },
        "required": ["id", "at"],
    }


def test_without_records_there_is_no_schema() -> None:
    assert inferred([]) == (None, {})


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("2026-01-31", "%Y-%m-%d"),
        ("2026-01-31 10:00:00", "%Y-%m-%d %H:%M:%S"),
        ("2026-01-31T10:00:00Z", "%Y-%m-%dT%H:%M:%SZ"),
        ("2026-01-31T10:00:00.123Z", "%Y-%m-%dT%H:%M:%S.%fZ"),
        ("2026-01-31T10:00:00.123+0100", "%Y-%m-%dT%H:%M:%S.%f%z"),
        ("2026-01-31T10:00:00+01:00", "%Y-%m-%dT%H:%M:%S%z"),
        (1_700_000_000, "%s"),
        ("1700000000000", "%ms"),
        ("31/01/2026 10:00", "%d/%m/%Y %H:%M"),
        ("2026-01", "%Y-%m"),
        ("31-01-2026", "%d-%m-%Y"),
        ("Sat, 31 Jan 2026 10:00:00 GMT", "%a, %d %b %Y %H:%M:%S %Z"),
    ],
)
def test_times_are_told_with_their_format(value: object, written: str) -> None:
    assert inferred([{"a": value}])[1] == {"a": written}


@pytest.mark.parametrize(
    "value", [20260131, 5, True, 1.5e9, "hello", "", None, ["2026-01-31"], "1" * 5000, 10**900, "٣" * 9]
)
def test_what_is_no_time_has_no_format(value: object) -> None:
    assert inferred([{"a": value}])[1] == {}


@pytest.mark.parametrize("other", [None, "x", "31-01-2026", 5])
def test_a_field_has_a_format_only_if_every_record_has_a_time_there(other: object) -> None:
    assert inferred([{"a": "2026-01-31"}, {"a": other}])[1] == {}


def test_a_format_that_only_some_records_exclude_gives_way_to_the_next() -> None:
    assert inferred([{"a": "2026-01-31T10:00:00Z"}, {"a": "2026-01-31T10:00:00+01:00"}])[1] == {
        "a": "%Y-%m-%dT%H:%M:%S%z"
    }


def test_very_deep_values_are_cut() -> None:
    value: Any = 1
    for _ in range(300):
        value = {"a": value}

    assert properties({"a": value})


@given(RECORDS)
def test_every_record_obeys_the_schema(records: list[dict[str, Any]]) -> None:
    schema, _ = inferred(records)

    for record in records:
        jsonschema.validate(record, schema)


@given(RECORDS)
def test_equal_records_give_equal_results(records: list[dict[str, Any]]) -> None:
    assert json.dumps(inferred(records)) == json.dumps(inferred(json.loads(json.dumps(records))))


def as_the_cdk(value: Any) -> Any:
    """`value`, a schema, with what only ours tells taken away."""
    if isinstance(value, dict):
        return {name: as_the_cdk(item) for name, item in value.items() if name != "format"}
    return (
        [as_the_cdk(item) for item in value] if isinstance(value, list) else "number" if value == "integer" else value
    )


@pytest.mark.parametrize(
    ("records", "keys"),
    [
        ([{"id": 1, "n": None, "l": [1, 2.5], "o": {"d": "x"}}, {"id": 2, "n": None, "l": [], "o": None}], [["id"]]),
        ([{"a": 1}, {"a": "x"}, {"a": True}], []),
        ([{"a": {"b": 1}}], [["a", "b"]]),
        ([{"t": "2026-01-01", "u": 1700000000, "v": "1700000000123", "m": "2026-01"}], []),
    ],
)
def test_but_for_integers_and_formats_the_cdk_says_the_same(
    records: list[dict[str, Any]], keys: list[list[str]]
) -> None:
    schemas, times = SchemaInferrer(keys or None), DatetimeFormatInferrer()
    for record in records:
        message = AirbyteRecordMessage(stream="s", data=record, emitted_at=0)
        schemas.accumulate(message)
        times.accumulate(message)
    theirs = dict(schemas.get_stream_schema("s") or {})
    theirs.pop("$schema")

    ours, formats = inferred(records, keys)

    assert as_the_cdk(ours) == theirs
    assert formats == times.get_inferred_datetime_formats()
