from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from materialize_parquet.columns import ARROW, array_of, migrated, migrates, types_of

from python.materialize_sql.column_types import ColumnType
from tests.materializing import place


def stored(value: Any, *types: str, is_key: bool = False, **form: Any) -> list[Any]:
    """The value in the column that a new table gets for it, as text."""
    column = types_of(place("/x", *types, **form), is_key=is_key, config=None)[0]
    texts: list[Any] = array_of(column, column.column([value, None])).cast("string").to_pylist()
    return [column.name, *texts]


@pytest.mark.parametrize(
    ("value", "types", "form", "wanted"),
    [
        (7, ["integer"], {"minimum": 0, "maximum": 9}, ["int64", "7"]),
        (2**64 + 1, ["integer"], {}, ["decimal", str(2**64 + 1)]),
        ("-12", ["integer", "string"], {"format": "integer"}, ["decimal", "-12"]),
        (1.5, ["number"], {}, ["double", "1.5"]),
        ("1970-01-02", ["string"], {"format": "date"}, ["date", "1970-01-02"]),
        ("0000-03-01", ["string"], {"format": "date"}, ["date", "0000-03-01"]),
        (
            "2024-02-29T12:00:00.1234567+02:00",
            ["string"],
            {"format": "date-time"},
            ["timestamp", "2024-02-29 10:00:00.123456Z"],
        ),
        ("2016-12-31t23:59:60z", ["string"], {"format": "date-time"}, ["timestamp", "2017-01-01 00:00:00.000000Z"]),
        ("0000-01-01T00:00:00Z", ["string"], {"format": "date-time"}, ["timestamp", "0000-01-01 00:00:00.000000Z"]),
        ("x", ["string"], {"format": "uuid"}, ["string", "x"]),
        ({"a": [1]}, ["object"], {}, ["json", '{"a":[1]}']),
    ],
)
def test_values_have_the_types_of_their_schema(value: Any, types: list[str], form: Any, wanted: list[str]) -> None:
    assert stored(value, *types, **form) == [*wanted, None]


def test_keys_of_text_stay_text_and_keys_of_several_types_are_json() -> None:
    assert stored("2024-01-01", "string", is_key=True, format="date") == ["string", "2024-01-01", None]
    assert stored("1", "string", "integer", is_key=True) == ["json", '"1"', None]


@pytest.mark.parametrize(
    ("value", "types", "form"),
    [
        (10**38, ["integer"], {}),
        (2**63, ["integer"], {"minimum": 0, "maximum": 9}),
        ("2023-02-29", ["string"], {"format": "date"}),
        ("20240101", ["string"], {"format": "date"}),
        ("2024-01-01", ["string"], {"format": "date-time"}),
        ("2024-01-01T24:00:00Z", ["string"], {"format": "date-time"}),
        ("2024-01-01T00:00:00+24:00", ["string"], {"format": "date-time"}),
        (7, ["string"], {"format": "date"}),
        (True, ["integer"], {}),
    ],
)
def test_values_that_a_column_cannot_hold_are_refused(value: Any, types: list[str], form: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- in most cases UnfitError, whose words are the table's
        stored(value, *types, **form)


@pytest.mark.parametrize(
    ("before", "value", "after", "wanted"),
    [
        ("int64", 7, "decimal", Decimal(7)),
        ("int64", 7, "string", "7"),
        ("decimal", Decimal(2**70), "json", str(2**70)),
        ("double", 0.1, "string", "0.1"),
        ("boolean", True, "json", "true"),
        ("string", 'a"', "json", '"a\\""'),
        ("binary", b"\0abc", "string", "AGFiYw=="),
        ("binary", b"\0abc", "json", '"AGFiYw=="'),
        ("date", -719_468, "string", "0000-03-01"),
        ("date", 0, "json", '"1970-01-01"'),
        ("timestamp", 1, "string", "1970-01-01T00:00:00.000001Z"),
        ("json", "{}", "json", "{}"),
    ],
)
def test_columns_become_wider_and_keep_what_they_hold(before: str, value: Any, after: str, wanted: Any) -> None:
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore] # it has no types

    column = pa.chunked_array([[value, None]], ARROW[before])

    assert before == after or migrates(before, after)
    assert migrated(column, before, after).to_pylist() == [wanted, None]


def test_nothing_becomes_narrower() -> None:
    names = list(ARROW)

    assert not [name for name in names if migrates("json", name)]
    assert [name for name in names if migrates("string", name)] == ["string", "json"]
    assert not any(migrates(name, "int64") for name in names)
    assert isinstance(types_of(place("/x", "array"), is_key=False, config=None)[0], ColumnType)
