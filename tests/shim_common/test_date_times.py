from __future__ import annotations

import copy
import datetime as dt
import decimal
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.shim_common.date_times import MILLISECONDS_FROM, date_times, rfc3339

TIME = {"type": ["null", "string"], "format": "date-time"}
CET = dt.timezone(dt.timedelta(hours=1))


def of(schema: dict[str, Any], data: Any) -> Any:
    """What `data` becomes under `schema`."""
    times = date_times(schema, "users")
    assert times is not None
    return times.repaired(data)


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
        ("2024-01-02 03:04:05", "2024-01-02T03:04:05Z"),
        ("2024-01-02T03:04:05", "2024-01-02T03:04:05Z"),
        ("2024-01-02t03:04:05z", "2024-01-02T03:04:05Z"),
        ("2024-01-02  03:04:05.000000", "2024-01-02T03:04:05.000000Z"),
        (" 2024-01-02T03:04 ", "2024-01-02T03:04:00Z"),
        ("2024-01-02", "2024-01-02T00:00:00Z"),
        ("20240102", "2024-01-02T00:00:00Z"),
        ("20240102T030405Z", "2024-01-02T03:04:05Z"),
        ("20240102030405", "2024-01-02T03:04:05Z"),
        ("2024-01-02 03:04:05 UTC", "2024-01-02T03:04:05Z"),
        ("2024-01-02 03:04:05,123456789", "2024-01-02T03:04:05.123456789Z"),
        ("2024-01-02T03:04:05+0100", "2024-01-02T03:04:05+01:00"),
        ("2024-01-02T03:04:05.5-08", "2024-01-02T03:04:05.5-08:00"),
        ("2024-01-02 03:04:05 +01:30", "2024-01-02T03:04:05+01:30"),
        ("0001-01-02 00:00:00", "0001-01-02T00:00:00Z"),
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (-0.25, "1969-12-31T23:59:59.75Z"),
        (1704164645, "2024-01-02T03:04:05Z"),
        (1704164645.125, "2024-01-02T03:04:05.125Z"),
        (1704164645000, "2024-01-02T03:04:05Z"),
        (1704164645001, "2024-01-02T03:04:05.001Z"),
        (decimal.Decimal("1704164645.123456789"), "2024-01-02T03:04:05.123456789Z"),
        ("1704164645", "2024-01-02T03:04:05Z"),
        ("1704164645000", "2024-01-02T03:04:05Z"),
        ("-62135596800", "0001-01-01T00:00:00Z"),
        (-62135596800, "0001-01-01T00:00:00Z"),
        (-1704164645000, "1915-12-31T20:55:55Z"),
        (MILLISECONDS_FROM - 1, "2999-12-31T23:59:59Z"),
        (MILLISECONDS_FROM, "1971-01-12T04:48:00Z"),
        (dt.date(2024, 1, 2), "2024-01-02T00:00:00Z"),
        (dt.datetime(2024, 1, 2, 3, 4, 5), "2024-01-02T03:04:05Z"),  # noqa: DTZ001 -- sources send naive times
        (dt.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=CET), "2024-01-02T03:04:05.000006+01:00"),
    ],
)
def test_what_can_be_understood_is_a_date_time(value: object, want: str) -> None:
    assert rfc3339(value) == want


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "soon",
            "2024",
            "2024-13-01",
            "2024-02-30 00:00:00",
            "20241302030405",
            "0000-00-00 00:00:00",
            "01/02/2024",
            "12:30",
        ),
        *(
            "2024-01-02T25:00:00",
            "2024-01-02T03:04:05+25:00",
            "2024-01-02T03:04:05 EST",
            "\uff12\uff10\uff12\uff14-01-02",
        ),
        *(True, None, [], {}, float("nan"), float("inf"), 10**18, decimal.Decimal("-1e30")),
    ],
)
def test_what_cannot_is_not_guessed(value: object) -> None:
    assert rfc3339(value) is None


@given(st.datetimes(timezones=st.just(dt.timezone.utc)))
def test_every_time_of_python_s_is_the_same_moment(value: dt.datetime) -> None:
    for written in (str(value), value.isoformat(), value.replace(tzinfo=None).isoformat(" "), value):
        right = rfc3339(written)
        assert right is not None
        assert dt.datetime.fromisoformat(right.replace("Z", "+00:00")) == value


def test_a_schema_without_date_times_compiles_to_nothing() -> None:
    assert date_times({}, "users") is None
    assert date_times({"properties": {"day": {"format": "date"}, "in": {"items": {"properties": {}}}}}, "users") is None


def test_a_record_whose_date_times_are_right_is_itself() -> None:
    data = {
        "at": "2024-01-02T03:04:05.678+01:00",
        "in": {"at": "2024-01-02T03:04:05Z"},
        "all": ["2024-01-02T03:04:05Z"],
    }
    schema = {"at": TIME, "in": {"properties": {"at": TIME}}, "all": {"items": TIME}}

    assert of({"properties": schema}, data) is data
    assert of({"properties": {"at": TIME, "gone": TIME, "none": TIME}}, {**data, "none": None})["none"] is None


@pytest.mark.parametrize(
    ("schema", "data", "want"),
    [
        ({"properties": {"at": TIME, "b": {}}}, {"b": "20240102", "at": "20240102"}, {"b": "20240102", "at": 1}),
        ({"properties": {"in": {"properties": {"at": TIME}}}}, {"in": {"at": 0, "b": 0}}, {"in": {"at": 0, "b": "0"}}),
        ({"properties": {"all": {"items": TIME}}}, {"all": ["20240102", None]}, {"all": [1, None]}),
        ({"properties": {"all": {"prefixItems": [TIME]}}}, {"all": ["20240102"]}, {"all": [1]}),
        ({"additionalProperties": TIME, "properties": {"b": {}}}, {"a": "20240102", "b": "x"}, {"a": 1, "b": "x"}),
        ({"patternProperties": {"_at$": TIME}}, {"made_at": "20240102"}, {"made_at": 1}),
        ({"allOf": [{"properties": {"at": TIME}}]}, {"at": "20240102"}, {"at": 1}),
        ({"properties": {"at": {"anyOf": [{"type": "null"}, TIME]}}}, {"at": "20240102"}, {"at": 1}),
        ({"if": {}, "then": {}, "else": {"properties": {"at": TIME}}}, {"at": "20240102"}, {"at": 1}),
        ({"properties": {"at": {"$ref": "#/$defs/t"}}, "$defs": {"t": TIME}}, {"at": "20240102"}, {"at": 1}),
    ],
)
def test_date_times_are_found_wherever_a_schema_promises_them(schema: Any, data: Any, want: Any) -> None:
    before = copy.deepcopy(data)
    marked = {1: "2024-01-02T00:00:00Z", 0: "1970-01-01T00:00:00Z", "0": 0}

    def expected(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: expected(item) for name, item in value.items()}
        return [expected(item) for item in value] if isinstance(value, list) else marked.get(value, value)

    assert of(schema, data) == expected(want)
    assert data == before


def test_a_recursive_schema_is_followed_to_the_end() -> None:
    node = {"properties": {"at": TIME, "children": {"items": {"$ref": "#/$defs/node"}}}}
    data = {"at": 0, "children": [{"at": 0, "children": [{"at": 0}]}]}
    right = "1970-01-01T00:00:00Z"

    made = of({"$ref": "#/$defs/node", "$defs": {"node": node}}, data)

    assert made == {"at": right, "children": [{"at": right, "children": [{"at": right}]}]}


@pytest.mark.parametrize("reference", ["#nowhere", "#/$defs/nothing", "https://example.com/t", "#"])
def test_a_reference_that_leads_nowhere_promises_nothing(reference: str) -> None:
    assert date_times({"properties": {"at": {"$ref": reference}}}, "users") is None


def test_a_number_stays_one_where_the_schema_allows_numbers() -> None:
    schema = {"properties": {"at": {"type": ["string", "integer"], "format": "date-time"}}}

    assert of(schema, {"at": 1704164645}) == {"at": 1704164645}
    assert of(schema, {"at": "1704164645"}) == {"at": "2024-01-02T03:04:05Z"}


def test_what_cannot_be_understood_is_left_and_told_once_for_each_place(caplog: pytest.LogCaptureFixture) -> None:
    times = date_times({"properties": {"a/b": {"items": TIME}, "at": TIME}}, "users")
    assert times is not None
    data: dict[str, Any] = {"a/b": ["soon", "later"], "at": ""}

    with caplog.at_level(logging.WARNING):
        assert times.repaired(data) is data
        assert times.repaired(data) is data

    told = "stream users: %s, which is no date-time, though its schema says so; such values are left as is"
    assert [record.getMessage() for record in caplog.records] == [told % "/a~1b/* is 'soon'", told % "/at is ''"]


@pytest.mark.parametrize("value", [[1], {"x": 1}, True])
def test_what_is_no_scalar_is_left(value: object) -> None:
    data = {"at": value}

    assert of({"properties": {"at": TIME}}, data) is data
