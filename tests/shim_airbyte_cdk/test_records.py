from __future__ import annotations

import datetime as dt
import decimal
import json
import uuid
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.capture import Binding
from python.protocol import document
from python.protocol.errors import ConnectorError
from python.shim_airbyte_cdk.records import Resource, Target
from tests.airbyte_messages import ROW_ID, binding


def target(**members: Any) -> Target:
    spec = binding("users", **{"key": [ROW_ID], **members})
    return Target(
        Binding(
            index=3,
            resource=msgspec.json.decode(spec.resource_config, type=Resource),
            resource_path=spec.resource_path,
            collection=spec.collection,
            state_key=spec.state_key,
            backfill=0,
            state=None,
        )
    )


def text(to: Target, data: Any) -> str:
    captured = to.captured(data)
    assert captured.binding == 3
    assert isinstance(captured.doc, msgspec.Raw)
    return bytes(captured.doc).decode()


def test_a_document_is_the_record_with_operation_and_row_id() -> None:
    users = target()

    assert text(users, {"id": 1}) == '{"id":1,"_meta":{"op":"u","row_id":0}}'
    assert text(users, {}) == '{"_meta":{"op":"u","row_id":1}}'
    assert users.row_id == 2


def test_the_record_is_not_changed() -> None:
    data = {"id": 1, "gone": None, "_meta": {"a": 1}}
    before = json.dumps(data)

    text(target(schema={"properties": {"gone": {"type": "string"}}}), data)

    assert json.dumps(data) == before


@pytest.mark.parametrize(
    ("value", "want"),
    [
        (2**64 + 1, "18446744073709551617"),
        (decimal.Decimal("1.10"), "1.10"),
        (decimal.Decimal("1e-400"), "1E-400"),
        (0.1, "0.1"),
        (dt.datetime(2024, 1, 2, 3, 4, 5), '"2024-01-02T03:04:05+00:00"'),  # noqa: DTZ001 -- sources send naive times
        (dt.date(2024, 1, 2), '"2024-01-02"'),
        (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (b"\x00\xff", '"AP8="'),
        ({"a": [None, True]}, '{"a":[null,true]}'),
    ],
)
def test_values_are_kept_exactly(value: object, want: str) -> None:
    assert text(target(), {"v": value}) == f'{{"v":{want},"_meta":{{"op":"u","row_id":0}}}}'


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf"), decimal.Decimal("NaN"), object(), "\ud800"]
)
def test_what_is_no_json_is_an_error_with_stream_key_and_place(value: object) -> None:
    with pytest.raises(ConnectorError, match=r"^stream users, document /id=7: /a/0: "):
        target(key=["/id"]).captured({"id": 7, "a": [value]})


def test_a_failed_record_gets_no_row_id() -> None:
    users = target()
    with pytest.raises(ConnectorError):
        users.captured({"v": float("nan")})

    assert users.row_id == 0


def test_without_a_key_the_error_names_the_row() -> None:
    with pytest.raises(ConnectorError, match=r"^stream public\.users, document row 0: /v: nan"):
        target(namespace="public").captured({"v": float("nan")})


def test_a_record_that_is_no_object_is_an_error() -> None:
    wrong: Any = [1]
    with pytest.raises(ConnectorError, match=r"^stream users: a record is \[1\], want an object"):
        target().captured(wrong)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "row 0: /a~1: is missing"),
        ({"b": {"c": 1}}, "/b/c=1, row 0: /a~1: is missing"),
        ({"a/": None, "b": {"c": 1}}, "/b/c=1, row 0: /a~1: is null"),
        ({"a/": 1, "b": {"c": [1]}}, "/a~1=1, row 0: /b/c: is an array"),
        ({"a/": 1, "b": {"c": {}}}, "/a~1=1, row 0: /b/c: is an object"),
        ({"a/": 1, "b": None}, "/a~1=1, row 0: /b/c: is missing"),
        ({"a/": 0.5, "b": {"c": 1}}, "/b/c=1, row 0: /a~1: is 0.5"),
        ({"a/": float("nan"), "b": {"c": 1}}, "/b/c=1, row 0: /a~1: is nan"),
    ],
)
def test_a_document_whose_key_flow_cannot_use_is_named(data: Any, told: str) -> None:
    with pytest.raises(ConnectorError) as failure:
        target(key=["/a~1", "/b/c"]).captured(data)

    assert str(failure.value) == f"stream users, document {told}; a key is a text, an integer or a boolean"


@pytest.mark.parametrize("key", [7, "", True, 2.0, 2**70, decimal.Decimal(5), uuid.UUID(int=1), dt.date(2024, 1, 2)])
def test_scalars_are_keys(key: object) -> None:
    assert json.loads(text(target(key=["/id"]), {"id": key})).keys() == {"id", "_meta"}


def test_date_times_are_made_right_where_the_schema_promises_them() -> None:
    schema = {"properties": {"at": {"type": "string", "format": "date-time"}, "day": {"type": "string"}}}
    data = {"id": 1, "at": "2024-01-02 03:04:05", "day": "2024-01-02 03:04:05"}

    assert json.loads(text(target(schema=schema), data))["at"] == "2024-01-02T03:04:05Z"
    assert data["at"] == "2024-01-02 03:04:05"


@pytest.mark.parametrize(("deleted_at", "op"), [(None, "u"), ("2024-01-01T00:00:00Z", "d")])
@pytest.mark.parametrize("own", [{}, {"_meta": {}}])
def test_a_row_that_was_deleted_is_a_deletion(own: dict[str, Any], deleted_at: str | None, op: str) -> None:
    data = {"id": 1, "_ab_cdc_deleted_at": deleted_at, **own}

    assert json.loads(text(target(key=["/id"]), data))["_meta"]["op"] == op


@pytest.mark.parametrize("own", [{}, {"_meta": {}}])
def test_a_deletion_in_a_collection_of_rows_is_a_row(own: dict[str, Any]) -> None:
    data = {"id": 1, "_ab_cdc_deleted_at": "2024-01-01T00:00:00Z", **own}

    assert json.loads(text(target(), data))["_meta"]["op"] == "u"


NESTED = {"properties": {"in": {"$ref": "#/$defs/nested"}, "at": {"type": "string", "format": "date-time"}}}


def test_a_record_that_is_nested_too_deeply_is_an_error_with_stream_and_key() -> None:
    data: dict[str, Any] = {"id": 7}
    for _ in range(5000):
        data = {"id": 7, "in": data}
    schema = {**NESTED, "$defs": {"nested": NESTED}}

    with pytest.raises(ConnectorError, match=r"^stream users, document /id=7: "):
        target(key=["/id"], schema=schema).captured(data)


@pytest.mark.parametrize(
    ("own", "kept"),
    [({"a": 1, "uuid": "x", "op": "z"}, {"a": 1}), ("text", {"value": "text"}), (None, {"value": None})],
)
def test_a_meta_of_the_source_s_own_is_kept_beside_ours(own: Any, kept: Any) -> None:
    assert json.loads(text(target(), {"_meta": own}))["_meta"] == {**kept, "op": "u", "row_id": 0}


def test_a_null_is_left_out_only_where_the_schema_refuses_it() -> None:
    schema = {"properties": {"never": {"type": "string"}, "may": {"type": ["null", "string"]}, "unsaid": {}}}

    doc = json.loads(text(target(schema=schema), {"never": None, "may": None, "unsaid": None, "other": None}))

    assert doc.keys() == {"may", "unsaid", "other", "_meta"}


@pytest.mark.parametrize(
    ("schema", "takes"),
    [
        ({}, True),
        ({"required": ["_meta"]}, True),
        ({"required": ["_meta", "id"]}, False),
        ({"allOf": [{"required": ["id"]}]}, False),
        ({"if": {}, "then": {}, "else": {"required": ["id"]}}, True),
    ],
)
def test_whether_a_collection_takes_tombstones_is_read_from_its_schema(schema: Any, takes: bool) -> None:
    assert target(schema=schema).takes_tombstones is takes


def test_a_tombstone_is_nothing_but_its_row_id() -> None:
    captured = target().tombstone(5)

    assert captured.binding == 3
    assert captured.doc == msgspec.Raw(b'{"_meta":{"op":"d","row_id":5}}')


def test_nulls_and_unknown_members_of_a_resource_config_are_as_good_as_absent() -> None:
    stored = b'{"stream":"users","syncMode":"incremental","namespace":null,"cursorField":null,"_meta":{},"odd":1}'

    assert msgspec.json.decode(stored, type=Resource) == Resource(stream="users", sync_mode="incremental")


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
def test_every_record_comes_back_with_ours_added(data: Any) -> None:
    found = document.decode(msgspec.Raw(text(target(), data).encode()))

    assert found == document.decode(document.encode({**data, "_meta": {"op": "u", "row_id": 0}}))
