import pytest

from python.runner.extraction import Extractor, canonical_key


def extracted(doc: bytes, *ptrs: str, absent: bytes = b"null") -> list[bytes]:
    return [bytes(text) for text in Extractor([(ptr, absent) for ptr in ptrs])(doc)]


def test_values_come_as_they_are_written_in_the_order_asked() -> None:
    doc = b'{"n": 18446744073709551617, "d":1.10, "t":"\\u00e9", "o":{"x": [1, 2.50]}}'

    assert extracted(doc, "/o", "/d", "/n", "/t") == [
        b'{"x": [1, 2.50]}',
        b"1.10",
        b"18446744073709551617",
        b'"\\u00e9"',
    ]


def test_places_below_others_and_in_lists_are_found() -> None:
    doc = b'{"a":{"b":{"c":1},"l":[10,{"z":20}]}}'

    assert extracted(doc, "/a/b", "/a/b/c", "/a", "/a/l/1/z", "/a/l/9", "/a/l/01") == [
        b'{"c":1}',
        b"1",
        doc[5:-1],
        b"20",
        b"null",
        b"null",
    ]


@pytest.mark.parametrize("doc", [b"{}", b'{"a":null}', b'{"a":{}}', b'{"a":"b"}', b'{"a":[1]}'])
def test_what_is_not_there_has_its_default(doc: bytes) -> None:
    assert extracted(doc, "/a/b", "/c", absent=b'"none"') == [b'"none"', b'"none"']


def test_member_names_of_any_kind_are_names() -> None:
    doc = b'{"a/b":1,"~":2,"":3,"0":4,"\xc3\xa9":5}'

    assert extracted(doc, "/a~1b", "/~0", "/0", "/é") == [b"1", b"2", b"4", b"5"]


def test_member_names_with_quotes_and_controls_are_names_too() -> None:
    doc = rb'{"a\"b":1,"\u0000":{"\\":[2,3]},"c":4}'

    assert extracted(doc, '/a"b', "/\0/\\/1", "/c", "/\n") == [b"1", b"3", b"4", b"null"]


def test_no_places_give_an_empty_array() -> None:
    assert Extractor([]).array(b'{"a":1}') == b"[]"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"[1]", b"[1.0]"),
        (b"[100]", b"[1e2]"),
        (b"[0]", b"[-0]"),
        (b'["A"]', b'["\\u0041"]'),
        (b'["\xc3\xa9",true,null]', b'["\\u00e9",true,null]'),
    ],
)
def test_equal_keys_are_written_alike(one: bytes, other: bytes) -> None:
    assert canonical_key(other) == canonical_key(one) == one


@pytest.mark.parametrize("key", [b'["1"]', b"[1]", b"[true]", b'["true"]', b"[null]", b'["a","b"]', b'["a,b"]', b"[]"])
def test_keys_that_differ_stay_apart(key: bytes) -> None:
    assert canonical_key(key) == key


def test_a_key_of_a_document_is_canonical() -> None:
    assert Extractor([("/id", b"null"), ("/b", b"null")]).key(b'{"b":true,"id":7.00}') == b"[7,true]"


@pytest.mark.parametrize(
    "docs",
    [
        [b'{"id":1,"b":2}', b'{"id":20,"b":0}'],
        [b'{"id":1,"b":"x"}', b'{"id":7.00,"b":true}', b'{"b":-0}'],
        [b'{"id":{"x":1}}', b'{"id":[0]}', b'[{"id":3}]'],
        [],
    ],
)
def test_many_documents_give_what_each_of_them_gives(docs: list[bytes]) -> None:
    for ptrs in ("/id", "/b"), ("/id/x", "/b"), ("/id", "/id/0"):
        extractor = Extractor([(ptr, b"null") for ptr in ptrs])

        assert [list(map(bytes, texts)) for texts in extractor.texts(docs)] == [
            list(map(bytes, extractor(doc))) for doc in docs
        ]
        assert extractor.keys(docs) == [extractor.key(doc) for doc in docs]
