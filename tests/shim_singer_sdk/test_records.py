from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from python.protocol.errors import ConfigError, ConnectorError
from python.shim_singer_sdk.records import check_resource
from tests.singer_messages import rows, target


def captured(data: Any, **given: Any) -> bytes:
    doc = target("a", "FULL_TABLE", **{"key": ["/_meta/row_id"], **given}).captured(data).doc
    assert isinstance(doc, msgspec.Raw)
    return bytes(doc)


META = b'"_meta":{"op":"u","row_id":0}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**64 + 1, b"18446744073709551617"),
        (Decimal("1.10"), b"1.10"),
        (Decimal("1e-400"), b"1E-400"),
        (Decimal("1234567890123456789012345678901234567890.5"), b"1234567890123456789012345678901234567890.5"),
        (float("nan"), b"null"),
        (float("inf"), b"null"),
        (Decimal("NaN"), b"null"),
        ([{"y": float("-inf")}], b'[{"y":null}]'),
        (uuid.UUID(int=1), b'"00000000-0000-0000-0000-000000000001"'),
        (dt.date(2024, 1, 2), b'"2024-01-02"'),
        (3 + 4j, b'"(3+4j)"'),
        (None, b"null"),
    ],
)
def test_values_come_out_as_taps_print_them_with_no_digit_lost(value: Any, text: bytes) -> None:
    assert captured({"x": value}) == b'{"x":' + text + b"," + META + b"}"


def test_an_empty_record_is_a_document() -> None:
    assert captured({}) == b"{" + META + b"}"


def test_the_tap_s_own_record_is_not_changed() -> None:
    data = {"id": 1, "_meta": {"uuid": "theirs", "x": 1}, "nan": float("nan")}
    before = dict(data)

    document = captured(data)

    assert data is not before
    assert data == before or data["nan"] != data["nan"]
    assert b'"_meta":{"x":1,"op":"u","row_id":0}' in document


def test_nulls_that_the_schema_refuses_are_left_out() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": ["null", "string"]}}}

    assert captured({"a": None, "b": None}, schema=schema) == b'{"b":null,' + META + b"}"


def test_date_times_are_made_right_where_the_schema_promises_them() -> None:
    schema = {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}}

    assert b'"at":"2024-01-02T03:04:05Z"' in captured({"at": "2024-01-02 03:04:05"}, schema=schema)


def test_a_row_that_the_source_deleted_is_a_deletion_where_there_is_a_key() -> None:
    gone = {"id": 1, "_sdc_deleted_at": "2024-01-02T03:04:05Z"}

    assert b'"op":"d"' in captured(gone, key=["/id"])
    assert b'"op":"u"' in bytes(rows("a").captured(gone).doc)  # type: ignore[arg-type] # documents are Raw


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"x": 1}, "/id: is missing"),
        ({"id": None}, "/id: is null"),
        ({"id": {"a": 1}}, "/id: is an object"),
        ({"id": Decimal("1.5")}, "/id: is 1.5"),
    ],
)
def test_a_document_without_a_key_that_flow_can_use_is_named(data: Any, told: str) -> None:
    with pytest.raises(ConnectorError, match=f"^stream a, document row 0: {told}"):
        target("a", "FULL_TABLE", key=["/id"]).captured(data)


def test_a_record_that_is_no_object_names_its_stream() -> None:
    with pytest.raises(ConnectorError, match=r"^stream a: a record is \[1\], want an object$"):
        captured([1])


@pytest.mark.parametrize(
    ("resource", "at"),
    [
        ({}, "/r/replication_method"),
        ({"replication_method": "SOMETIMES"}, "/r/replication_method"),
        ({"replication_method": "INCREMENTAL"}, "/r/replication_key"),
    ],
)
def test_a_resource_config_that_cannot_work_names_the_place(resource: dict[str, Any], at: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_resource(resource, "/r")

    assert caught.value.at == at
