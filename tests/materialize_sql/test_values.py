"""What becomes of nasty values, on the databases themselves."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from python.protocol.errors import ConnectorError
from tests.materialize_sql.targets import Target
from tests.materializing import Session, applied, binding, collection, place, spec

DIGITS = "12345678901234567890.123456789012345678"
LONG = "🦆" * 262_144  # a megabyte
DEEP = '{"a":' * 150 + "[]" + "}" * 150
EVERY = ("sqlite", "duckdb", "postgres")
A_UUID = "0E5F8A5C-1E6A-11EF-9262-0242AC120002"


class Case(NamedTuple):
    """A value of a field, and how each database has it as text, where not as in JSON."""

    types: tuple[str, ...]
    value: str  # JSON
    form: dict[str, Any] = {}
    expected: dict[str, str] = {}


CASES = {
    "an integer beyond 64 bits": Case(("integer",), str(2**64 + 1)),
    "an integer of 38 digits": Case(("integer",), "-" + "9" * 38),
    "a small integer": Case(("integer",), "-9007199254740993", {"minimum": -(2**60), "maximum": 2**60}),
    "an integer with a fraction of zero": Case(
        ("integer",), "3.0", {}, dict.fromkeys(("sqlite", "duckdb", "postgres"), "3")
    ),
    "a decimal of 38 digits": Case(("number",), DIGITS, {}, {"duckdb": "1.2345678901234567e+19"}),
    "a float": Case(("number",), "0.1"),
    "a large float": Case(
        ("number",), "1e308", {}, {"postgres": "1" + "0" * 308, "sqlite": "1.0e+308", "duckdb": "1e+308"}
    ),
    "a number as text": Case(("string",), '"1.10"', {"format": "number"}, {"sqlite": "1.1"}),
    "a large integer as text": Case(("string", "integer"), f'"{2**70}"', {"format": "integer"}),
    "no number as text": Case(("string",), '"NaN"', {"format": "number"}),
    "unicode": Case(("string",), '"ünï\\u0001\\t\\\\N\\\\.\\n\\r\\"\'\\u2028🦆"'),
    "what COPY takes for its end": Case(("string",), '"\\\\."'),
    "what COPY takes for null": Case(("string",), '"\\\\N"'),
    "the empty text": Case(("string",), '""'),
    "the character zero": Case(("string",), '"a\\u0000b"', {}, {"postgres": "a\ufffdb"}),
    "a megabyte": Case(("string",), f'"{LONG}"'),
    "a date": Case(("string",), '"2024-02-29"', {"format": "date"}),
    "the last date": Case(("string",), '"9999-12-31"', {"format": "date"}),
    "a date before Christ": Case(
        ("string",), '"0000-02-29"', {"format": "date"}, {"postgres": "0001-02-29 BC", "duckdb": "0001-02-29 (BC)"}
    ),
    "a date-time": Case(
        ("string",),
        '"2024-02-29T12:00:00.123456+02:00"',
        {"format": "date-time"},
        {"postgres": "2024-02-29 10:00:00.123456+00", "duckdb": "2024-02-29 10:00:00.123456+00"},
    ),
    "a leap second far from here": Case(
        ("string",),
        '"2016-12-31t23:59:60.5-23:59"',
        {"format": "date-time"},
        {"postgres": "2017-01-01 23:59:00.5+00", "duckdb": "2017-01-01 23:59:00.5+00"},
    ),
    "the first date-time": Case(
        ("string",),
        '"0000-01-01T00:00:00+23:59"',
        {"format": "date-time"},
        {"postgres": "0002-12-31 00:01:00+00 BC", "duckdb": "0002-12-31 (BC) 00:01:00+00"},
    ),
    "the last date-time": Case(
        ("string",),
        '"9999-12-31T23:59:59.999999-10:00"',
        {"format": "date-time"},
        {"postgres": "10000-01-01 09:59:59.999999+00", "duckdb": "10000-01-01 09:59:59.999999+00"},
    ),
    "a UUID": Case(
        ("string",), f'"{A_UUID}"', {"format": "uuid"}, dict.fromkeys(("postgres", "duckdb"), A_UUID.lower())
    ),
    "a time": Case(("string",), '"23:59:60+23:59"', {"format": "time"}),
    "a truth": Case(("boolean",), "true", {}, {"sqlite": "1"}),
    "bytes": Case(
        ("string",),
        '"AGFiYw=="',
        {"content_encoding": "base64"},
        {"postgres": "\\x00616263", "duckdb": "\\x00abc", "sqlite": "\0abc"},
    ),
    "an object": Case(("object",), '{"b":[1.5,null,{"\\u0000":"\\\\"}],"a":18446744073709551617}'),
    "an array": Case(("array",), f'[{DIGITS},"x"]'),
    "deep nesting": Case(("object",), DEEP),
    "several types": Case(("integer", "object", "string"), '"text"', {}, {"sqlite": "text"}),
    "null": Case(("string", "null"), "null", {}, {}),
}


@pytest.fixture
def stored(target: Target) -> Any:
    fields = [place(f"/{name}", *case.types, **case.form) for name, case in CASES.items()]
    source = collection(place("/id", "integer"), *fields)
    doc = "{" + ",".join(['"id": 1', *(f'"{name}":{case.value}' for name, case in CASES.items())]) + "}"
    wanted = spec(target.config, binding(source, "things"))
    applied(target.make(), wanted)
    session = Session(target.make(), wanted)
    session.transaction(doc.encode())
    loaded = session.load([1])
    session.commit("{}")
    session.end()
    return doc.encode(), loaded


def test_every_value_is_stored_exactly_or_as_its_type_has_it(target: Target, stored: Any) -> None:
    doc, loaded = stored
    assert loaded == [doc]
    names = list(CASES)
    columns = [f"cast({target.dialect.quote(name)} as {target.text}) as {target.dialect.quote(name)}" for name in names]
    row = target.query(f"select {', '.join(columns)} from {target.dialect.qualified((target.schema, 'things'))}")[0]  # noqa: S608 -- quoted
    found = dict(zip(names, row, strict=True))
    for name, case in CASES.items():
        plain = json.loads(case.value, parse_float=str, parse_int=str)
        nested = ("object" in case.types and not isinstance(plain, str)) or "array" in case.types
        several = len(set(case.types) - {"null"}) > 1 and "format" not in case.form
        default = case.value if nested or several else {True: "true"}.get(plain, plain)
        assert found[name] == case.expected.get(target.name, default), name


def test_documents_are_loaded_byte_for_byte(target: Target) -> None:
    source = collection(place("/id", "string"))
    wanted = spec(target.config, binding(source, "things"))
    applied(target.make(), wanted)
    texts = [
        b'{ "id" : "a", "n":[1.0,1.10,1E5,-0,18446744073709551617], "s":"\\u00e9\\/\\ud83e\\udd86 \\u0000" }',
        '{"id":\t"é\\\\"}'.encode(),
        ('{"id":"c","deep":' + DEEP + "}").encode(),
        ('{"id":"d","long":"' + LONG + '"}').encode(),
    ]
    session = Session(target.make(), wanted)
    session.transaction(*texts)
    keys = [[json.loads(text.decode(), strict=False)["id"]] for text in texts]

    assert sorted(session.load(*keys)) == sorted(texts)


@pytest.mark.parametrize("key", [2**64 + 1, -1, 0])
def test_keys_of_any_size_are_found_again(target: Target, key: int) -> None:
    wanted = spec(target.config, binding(collection(place("/id", "integer")), "things"))
    applied(target.make(), wanted)
    session = Session(target.make(), wanted)
    session.transaction({"id": key}, {"id": 7})

    assert session.load([key]) == [b'{"id":%d}' % key]


def test_keys_that_look_alike_are_different(target: Target) -> None:
    fields = (
        place("/t", "string", format="date-time"),
        place("/m", "integer", "string"),
        place("/u", "string", format="uuid"),
    )
    source = collection(*fields, key=("/t", "/m", "/u"))
    wanted = spec(target.config, binding(source, "things"))
    applied(target.make(), wanted)
    keys: list[list[Any]] = [
        ["2020-01-01T00:00:00Z", 1, A_UUID],
        ["2020-01-01T00:00:00+00:00", 1, A_UUID],
        ["2020-01-01T00:00:00Z", "1", A_UUID],
        ["2020-01-01T00:00:00Z", 1, A_UUID.lower()],
        ["", "", " "],
    ]
    docs = [dict(zip("tmu", key, strict=True)) for key in keys]
    session = Session(target.make(), wanted)
    session.transaction(*docs)

    assert sorted(map(str, map(json.loads, session.load(*keys)))) == sorted(map(str, docs))


def test_a_field_can_be_stored_as_text_with_all_its_digits(target: Target) -> None:
    source = collection(place("/id", "integer"), place("/n", "number"), place("/o", "object"))
    configs = {"n": {"castToString": True}, "o": {"castToString": True}}
    wanted = spec(target.config, binding(source, "things", configs=configs))
    applied(target.make(), wanted)
    session = Session(target.make(), wanted)
    session.transaction(b'{"id":1,"n":%s,"o":{"a": 1}}' % DIGITS.encode())

    assert target.rows("n", "o") == [(DIGITS, '{"a":1}')]


@pytest.mark.parametrize(
    ("field", "value", "column"),
    [
        (place("/x", "string", format="date"), "not a date", "a date"),
        (place("/x", "string", format="date-time"), "2024-01-01", "a date-time"),
        (place("/x", "string", format="uuid"), "1", "a UUID"),
        (place("/x", "string", content_encoding="base64"), "*", "base64"),
        (place("/x", "string", format="integer"), "1.5", "an integer"),
        (place("/x", "string", format="integer"), "٣", "an integer"),
        (place("/x", "integer"), True, "an integer"),
        (place("/x", "integer", minimum=0, maximum=10), 2**63, "an integer of 64 bits"),
        (place("/x", "number"), "x", "a number"),
    ],
)
def test_a_value_that_breaks_its_schema_is_refused_in_words(
    target: Target, field: Any, value: Any, column: str
) -> None:
    wanted = spec(target.config, binding(collection(place("/id", "integer"), field), "things"))
    applied(target.make(), wanted)
    kind = target.make().dialect.types_of(field, is_key=False, config=None)[0]
    session = Session(target.make(), wanted)
    if kind.want == "text":  # this database keeps such text as it is
        session.transaction({"id": 1, "x": value})
        assert target.rows("x") == [(value,)]
        return

    with pytest.raises(
        ConnectorError, match=f"field 'x' of the document with the key 1 is .*, but the column holds {column}"
    ):
        session.transaction({"id": 1, "x": value})


def test_the_character_zero_is_kept_or_refused_in_keys(target: Target) -> None:
    wanted = spec(target.config, binding(collection(place("/id", "string")), "things"))
    applied(target.make(), wanted)
    session = Session(target.make(), wanted)
    if target.name == "postgres":
        with pytest.raises(ConnectorError, match=r"field 'id' .* the column holds text without U\+0000"):
            session.transaction({"id": "a\0b"})
        return
    session.transaction({"id": "a\0b"})

    assert session.load(["a\0b"]) == [b'{"id":"a\\u0000b"}']


def test_a_null_key_is_refused(target: Target) -> None:
    wanted = spec(target.config, binding(collection(place("/id", "integer")), "things"))
    applied(target.make(), wanted)

    with pytest.raises(ConnectorError, match="the key field 'id' is null"):
        Session(target.make(), wanted).transaction({"id": None})
