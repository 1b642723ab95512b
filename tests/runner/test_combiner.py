import json
from typing import Any

import msgspec
import pytest

from python.protocol import document
from python.protocol.errors import RemoteProtocolError
from python.protocol.flow import UUID_PLACEHOLDER, CollectionSpec
from python.runner.combiner import Collector, Combined, Combiner, ViolationError, in_key_order, with_uuid_placeholder
from python.runner.reduction import ReductionError

SUMMING = {"reduce": {"strategy": "merge"}, "properties": {"n": {"reduce": {"strategy": "sum"}}}}


def combiner(*schemas: Any) -> Combiner:
    specs = [
        CollectionSpec(name=f"acmeCo/{number}", write_schema=msgspec.Raw(json.dumps(schema).encode()), key=("/id",))
        for number, schema in enumerate(schemas or ({},))
    ]
    return Combiner([Collector(spec) for spec in specs])


def values(combined: Combined) -> list[Any]:
    return [document.decode(text) for text in in_key_order(combined)]


def test_the_newer_document_of_a_key_wins() -> None:
    combining = combiner()
    for text in (b'{"id":1,"a":1}', b'{"id":2}', b'{"id":1,"b":2}'):
        combining.add(0, text)
    combining.checkpoint()
    assert values(combining.take()[0]) == [{"id": 1, "b": 2}, {"id": 2}]


def test_documents_of_a_key_are_reduced_within_and_across_sequences() -> None:
    combining = combiner(SUMMING)
    combining.add(0, b'{"id":1,"n":1}')
    combining.add(0, b'{"id":1,"n":2,"a":1}')
    combining.checkpoint()
    combining.add(0, b'{"id":1,"n":4,"b":1}')
    combining.checkpoint()
    assert values(combining.take()[0]) == [{"id": 1, "n": 7, "a": 1, "b": 1}]


def test_documents_that_do_not_reduce_are_told_with_binding_collection_location_and_key() -> None:
    told = r"^binding 1, acmeCo/1: /n: `sum` reduces two numbers.* the document with key \[7\]"
    combining = combiner({}, SUMMING)
    combining.add(1, b'{"id":7,"n":1}')
    with pytest.raises(ReductionError, match=told):
        combining.add(1, b'{"id":7,"n":"x"}')
    combining.checkpoint()
    combining.add(1, b'{"id":7,"n":"x"}')
    with pytest.raises(ReductionError, match=told):
        combining.checkpoint()


def test_bindings_are_kept_apart() -> None:
    combining = combiner({}, {})
    combining.add(1, b'{"id":1}')
    combining.checkpoint()
    assert [len(combined) for combined in combining.take()] == [0, 1]


def test_what_has_no_checkpoint_is_not_taken() -> None:
    combining = combiner(SUMMING)
    combining.add(0, b'{"id":1,"n":1}')
    combining.checkpoint()
    combining.add(0, b'{"id":1,"n":2}')
    assert values(combining.take()[0]) == [{"id": 1, "n": 1}]
    combining.checkpoint()
    assert values(combining.take()[0]) == [{"id": 1, "n": 2}]


def test_the_beginning_of_a_sequence_can_be_taken_alone() -> None:
    combining = combiner()
    combining.add(0, b'{"id":1}')
    combining.checkpoint()
    combining.add(0, b'{"id":2}')
    assert values(combining.take_current()[0]) == [{"id": 2}]
    assert values(combining.take()[0]) == [{"id": 1}]
    assert combining.bytes_used == 0


def test_bytes_used_follows_what_is_kept() -> None:
    combining = combiner()
    combining.add(0, b'{"id":1,"a":"xxxxxxxxxx"}')
    combining.checkpoint()
    combining.add(0, b'{"id":1}')
    combining.add(0, b'{"id":1,"a":"yyyyyyyyyy"}')
    before = combining.bytes_used
    combining.checkpoint()
    assert 0 < combining.bytes_used < before
    assert len(combining.take()[0]) == 1
    assert combining.bytes_used == 0


def test_a_refused_document_is_named_with_its_binding_and_not_taken() -> None:
    combining = combiner({}, {"required": ["x"]})
    with pytest.raises(ViolationError, match=r"^binding 1, acmeCo/1: the document with key \[1\]"):
        combining.add(1, b'{"id":1}')
    combining.checkpoint()
    assert combining.take() == [{}, {}]


@pytest.mark.parametrize("binding", [-1, 1])
def test_a_binding_out_of_range_is_refused(binding: int) -> None:
    with pytest.raises(RemoteProtocolError, match=r"1 bindings \(rule 11\)"):
        combiner().add(binding, b'{"id":1}')


def test_documents_leave_in_the_order_of_their_keys() -> None:
    combining = combiner()
    for key in (b"true", b"10", b'"b"', b"9", b"null", b'"a"', b"-1", b"false"):
        combining.add(0, b'{"id":%s}' % key)
    combining.checkpoint()
    assert [value["id"] for value in values(combining.take()[0])] == [None, "a", "b", -1, 9, 10, False, True]


@pytest.mark.parametrize(
    ("text", "pointer", "result"),
    [
        (b'{"a":1.10}', "/_meta/uuid", b'{"a":1.10,"_meta":{"uuid":"%s"}}'),
        (b'{"_meta":{"op":"c"},"a":1}', "/_meta/uuid", b'{"_meta":{"op":"c","uuid":"%s"},"a":1}'),
        (b'{"a":1}', "/id", b'{"a":1,"id":"%s"}'),
    ],
)
def test_the_uuid_placeholder_stands_at_its_pointer(text: bytes, pointer: str, result: bytes) -> None:
    assert with_uuid_placeholder(text, pointer) == result % UUID_PLACEHOLDER.encode()


def test_without_a_uuid_pointer_a_document_stays_as_it_is() -> None:
    assert with_uuid_placeholder(b'{"a": 1}', "") == b'{"a": 1}'
