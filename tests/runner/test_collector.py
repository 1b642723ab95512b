import json
from typing import Any

import msgspec
import pytest

from python.protocol.flow import CollectionSpec
from python.runner.collector import Collector, ViolationError
from python.runner.ordering import pack_key
from python.runner.reduction import ReductionError
from python.runner.schemas import SchemaError


def collector(schema: Any = None, *keys: str) -> Collector:
    text = msgspec.Raw(json.dumps(schema or {}).encode())
    return Collector(CollectionSpec(name="acmeCo/users", write_schema=text, key=keys or ("/id",)))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (b'{"id":1}', 1),
        (b'{"id":true}', True),
        (b'{"id":"1"}', "1"),
        (b'{"id":null}', None),
        (b'{"id":36893488147419103233}', 2**65 + 1),
        (b'{"id":2.0}', 2),
        (b'{"id":1e22,"x":1e400}', 10**22),
    ],
)
def test_a_key_is_an_integer_a_string_a_boolean_or_null(text: bytes, key: Any) -> None:
    assert collector().key(text) == pack_key([key])


def test_a_key_may_be_composite_nested_and_inside_an_array() -> None:
    found = collector({}, "/a~1b/c", "/l/1").key(b'{"a/b":{"c":"x"},"l":[0,7]}')
    assert found == pack_key(["x", 7])


@pytest.mark.parametrize(
    ("text", "came"),
    [
        (b'{"x":1}', "is missing"),
        (b'{"id":1.5}', "is 1.5"),
        (b'{"id":[1]}', r"is \[1\]"),
        (b'{"id":{}}', "is {}"),
        (b'{"id":1e9999}', r"is 1E\+9999"),
        (b'{"id":1%s}' % (b"0" * 4000), r"is 1E\+4000"),
    ],
)
def test_any_other_key_is_refused_with_the_pointer_and_the_rule(text: bytes, came: str) -> None:
    with pytest.raises(
        ViolationError, match=rf"acmeCo/users: the key /id of a document {came}; .*\(rule 51\)"
    ) as found:
        collector().key(text)
    assert found.value.rule == 51


@pytest.mark.parametrize("text", [b"[]", b"1", b"null", b'"{}"'])
def test_a_document_is_an_object(text: bytes) -> None:
    with pytest.raises(ViolationError, match=r"has to be an object \(rule 50\)"):
        collector().key(text)


@pytest.mark.parametrize("text", [b"{", b'{"id":1}{}', b'{"id":"\xff"}', b'{"id":"\\ud800"}', b""])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(ViolationError, match=r"no JSON.*\(rule 50\)"):
        collector().key(text)


@pytest.mark.parametrize("meta", ["null", "[]", '"x"', '{"uuid":null}', '{"op":"c","uuid":"x"}'])
def test_meta_is_an_object_without_uuid(meta: str) -> None:
    with pytest.raises(ViolationError, match=r"key \[1\] has `_meta` .*\(rule 52\)"):
        collector().key(f'{{"id":1,"_meta":{meta}}}'.encode())


def test_meta_without_uuid_is_fine() -> None:
    assert collector().key(b'{"id":1,"_meta":{"op":"c"}}') == pack_key([1])


def test_a_violation_names_key_pointer_value_and_rule() -> None:
    schema = {"properties": {"a/b": {"items": {"type": "string"}}}}
    sentence = (
        r'acmeCo/users: the document with key \["k"\] violates the write schema at /a~1b/1: 5 is not of type "string" '
        r"\(keyword `type`\); .* \(rule 50\)"
    )
    with pytest.raises(ViolationError, match=sentence):
        collector(schema).key(b'{"id":"k","a/b":["x",5]}')


def test_a_violation_with_a_long_value_stays_one_short_line() -> None:
    with pytest.raises(ViolationError) as found:
        collector({"properties": {"a": {"type": "integer"}}}).key(b'{"id":1,"a":"%s"}' % (b"x\\n" * 9999))
    assert len(str(found.value)) < 500
    assert "\n" not in str(found.value)


DELETING = {
    "reduce": {"strategy": "merge"},
    "properties": {"n": {"reduce": {"strategy": "sum"}}},
    "if": {"properties": {"_meta": {"properties": {"op": {"const": "d"}}}}, "required": ["_meta"]},
    "then": {"reduce": {"strategy": "merge", "delete": True}},
}


def test_without_reductions_the_newer_text_stands_as_it_came() -> None:
    newer = b'{"id":1, "x": 1.10}'
    assert collector().combine(b'{"id":1,"y":1}', newer) is newer
    assert collector().reduce(b'{"id":1,"y":1}', newer) is newer


def test_numbers_survive_a_reduction_to_the_last_digit() -> None:
    older, newer = b'{"id":1,"n":18446744073709551613,"x":1.10}', b'{"id":1,"n":1,"y":0.1}'
    assert collector(DELETING).reduce(older, newer) == b'{"id":1,"n":18446744073709551614,"x":1.10,"y":0.1}'


def test_a_deletion_is_kept_by_combining_and_effected_by_reducing() -> None:
    older, newer = b'{"id":1,"n":1}', b'{"id":1,"n":2,"_meta":{"op":"d"}}'
    combined = collector(DELETING).combine(older, newer)
    assert combined == b'{"id":1,"n":3,"_meta":{"op":"d"}}'
    assert collector(DELETING).reduce(None, combined) is None
    assert collector(DELETING).reduce(older, newer) is None


def test_a_document_that_nothing_precedes_and_nothing_prunes_stays_the_same_text() -> None:
    text = b'{"id": 1, "n": 1.10, "big": 1e999}'
    assert collector(DELETING).reduce(None, text) is text


def test_a_document_that_cannot_be_reduced_is_named_by_its_key() -> None:
    with pytest.raises(ReductionError, match=r"^acmeCo/users: /n: `sum` reduces two.* the document with key \[1\]"):
        collector(DELETING).combine(b'{"id":1,"n":1}', b'{"id":1,"n":"x"}')


@pytest.mark.parametrize("schema", [{"type": "foo"}, {"$ref": "https://example.com/x"}, {"properties": []}])
def test_a_malformed_write_schema_is_refused(schema: Any) -> None:
    with pytest.raises(SchemaError):
        collector(schema)
