import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from python.protocol.errors import RemoteProtocolError
from python.protocol.flow import CollectionSpec, FieldSelection, MaterializationBinding, RangeSpec, SerPolicy
from python.protocol.projection import Inference, Projection, StringInference
from python.runner.collector import ViolationError
from python.runner.journal import Row
from python.runner.stored import Stored

CLOCK = 2228159232000000000  # noon of January 31st, 2024
SUMMING: dict[str, Any] = {
    "type": "object",
    "reduce": {"strategy": "merge"},
    "properties": {"id": {"type": "integer"}, "n": {"type": "integer", "reduce": {"strategy": "sum"}}},
    "if": {"required": ["gone"]},
    "then": {"reduce": {"strategy": "merge", "delete": True}},
}
PUBLISHED = Projection(
    field="flow_published_at",
    ptr="/_meta/uuid",
    inference=Inference(string=StringInference(format="date-time", content_encoding="uuid")),
)
PROJECTIONS = (
    Projection(field="id", ptr="/id"),
    Projection(field="n", ptr="/n", inference=Inference(default=msgspec.Raw(b"7"))),
    Projection(field="flow_document", ptr=""),
    Projection(field="whole", ptr=""),
    Projection(field="_meta/flow_truncated", ptr="/_meta/flow_truncated"),
    PUBLISHED,
)


def stored(
    *values: str, schema: Any = None, read: Any = None, owned: RangeSpec | None = None, **members: Any
) -> Stored:
    collection = CollectionSpec(
        name="acmeCo/users",
        key=("/id",),
        write_schema=msgspec.Raw(json.dumps(schema or {}).encode()),
        read_schema=msgspec.Raw(json.dumps(read).encode() if read else b""),
        projections=PROJECTIONS,
    )
    fields = FieldSelection(keys=("id",), values=values, document="flow_document")
    return Stored(2, MaterializationBinding(collection=collection, field_selection=fields, **members), owned)


def rows(*values: Any) -> list[Row]:
    return [(number, CLOCK, json.dumps(value).encode()) for number, value in enumerate(values, start=1)]


def stores(binding: Stored) -> list[bytes]:
    return [line for lines in binding.stores() for line in lines]


def messages(lines: Any, kind: str) -> list[Mapping[str, Any]]:
    found = [json.loads(line) for line in lines]
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)
    return [each[kind] for each in found]


def test_each_key_of_a_transaction_is_loaded_once() -> None:
    binding = stored()
    first = messages(binding.combine(rows({"id": 1}, {"id": 2}, {"id": 1.0, "n": 1})), "load")
    second = messages(binding.combine(rows({"id": 2}, {"id": 3})), "load")

    assert first == [{"binding": 2, "key": [1]}, {"binding": 2, "key": [2]}]
    assert second == [{"binding": 2, "key": [3]}]


def test_a_binding_that_begins_empty_loads_no_key_beyond_the_largest_it_has_stored() -> None:
    binding = stored()
    binding.begin_empty()
    first = binding.combine(rows({"id": 9}, {"id": 10}))
    list(binding.stores())
    second = messages(binding.combine(rows({"id": 11}, {"id": 3}, {"id": 10}, {"id": 100})), "load")

    assert first == []
    assert second == [{"binding": 2, "key": [3]}, {"binding": 2, "key": [10]}]


def test_documents_are_stored_as_they_came_the_last_of_a_key_alone() -> None:
    binding = stored("n")
    binding.combine([(1, CLOCK, b'{"id":1,"n":1}'), (2, CLOCK, b'{"id":1, "n":2.50, "big":18446744073709551617}')])
    (line,) = stores(binding)

    assert line == (
        b'{"store":{"binding":2,"key":[1],"values":[2.50],"doc":{"id":1, "n":2.50, "big":18446744073709551617}}}\n'
    )
    assert list(binding.stores()) == []


def test_what_was_loaded_exists_and_is_reduced_into() -> None:
    binding = stored("n", schema=SUMMING)
    binding.combine(rows({"id": 1, "n": 1}, {"id": 2, "n": 5}, {"id": 1, "n": 2}))
    binding.loaded([b'{"id":1,"n":10}'])

    assert messages(stores(binding), "store") == [
        {"binding": 2, "key": [1], "values": [13], "doc": {"id": 1, "n": 13}, "exists": True},
        {"binding": 2, "key": [2], "values": [5], "doc": {"id": 2, "n": 5}},
    ]


def test_a_deleted_document_is_stored_as_such_where_it_exists_and_not_at_all_where_not() -> None:
    binding = stored("n", schema=SUMMING)
    binding.combine(rows({"id": 1, "gone": True}, {"id": 2, "gone": True}))
    binding.loaded([b'{"id":1,"n":10}'])
    (only,) = messages(stores(binding), "store")

    assert (only["key"], only["exists"], only["delete"]) == ([1], True, True)
    assert only["doc"] == {"id": 1, "n": 10, "gone": True}


def test_delta_updates_load_nothing_and_keep_documents_partial() -> None:
    binding = stored("n", schema=SUMMING, delta_updates=True)

    assert binding.combine(rows({"id": 1, "n": 1}, {"id": 1, "n": 2})) == []
    assert messages(stores(binding), "store") == [{"binding": 2, "key": [1], "values": [3], "doc": {"id": 1, "n": 3}}]
    with pytest.raises(RemoteProtocolError, match="was loaded unasked"):
        binding.loaded([b'{"id":1}'])


def test_values_that_are_no_locations_are_made() -> None:
    binding = stored("_meta/flow_truncated", "flow_published_at", "n", "whole")
    binding.combine(rows({"id": 1}))
    (only,) = messages(stores(binding), "store")

    assert only["values"] == [False, "2024-01-31T12:00:00Z", 7, {"id": 1}]


def test_a_document_is_checked_by_the_read_schema_where_there_is_one() -> None:
    binding = stored(read={"type": "object", "properties": {"n": {"maximum": 3}}})
    with pytest.raises(ViolationError, match="acmeCo/users"):
        binding.combine(rows({"id": 1, "n": 4}))


def test_a_shard_takes_its_own_keys_alone_and_all_shards_take_all() -> None:
    halves = [RangeSpec(key_end=2**31 - 1), RangeSpec(key_begin=2**31, key_end=2**32 - 1)]
    bindings = [stored(owned=half) for half in halves]
    shares = [messages(each.combine(rows(*({"id": n} for n in range(100)))), "load") for each in bindings]
    keys = [[load["key"][0] for load in share] for share in shares]

    assert sorted(keys[0] + keys[1]) == list(range(100))
    assert all(keys)
    assert [each.taken for each in bindings] == [len(each) for each in keys]


@pytest.mark.parametrize(
    ("before", "key", "sentence"),
    [([], 2, r"the key \[2\] was loaded unasked"), ([1], 1, r"the key \[1\] was loaded twice")],
)
def test_what_was_not_asked_for_is_refused(before: list[int], key: int, sentence: str) -> None:
    binding = stored()
    binding.combine(rows({"id": 1}))
    for known in before:
        binding.loaded([b'{"id":%d}' % known])
    with pytest.raises(RemoteProtocolError, match=sentence):
        binding.loaded([b'{"id":%d}' % key])


def test_what_the_endpoint_cannot_take_is_cut_off_and_marked() -> None:
    binding = stored("n", "whole", "_meta/flow_truncated", ser_policy=SerPolicy(str_truncate_after=4))
    binding.combine(rows({"id": "1234567", "n": "1234567"}, {"id": "2", "n": "2"}))

    cut, short = messages(stores(binding), "store")
    assert cut["key"] == ["1234567"]
    assert cut["values"] == ["1234", {"id": "1234567", "n": "1234"}, True]
    assert cut["doc"] == {"id": "1234567", "n": "1234"}
    assert short["values"] == ["2", {"id": "2", "n": "2"}, False]
