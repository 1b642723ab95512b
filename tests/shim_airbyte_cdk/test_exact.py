from __future__ import annotations

import decimal
import importlib
import io
import json
import sys
import types
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from python.protocol import document
from python.shim_airbyte_cdk.exact import exact_numbers
from tests.airbyte_messages import Played, Sync, record, request, rows

requests: Any = importlib.import_module("requests")
decoders: Any = importlib.import_module("airbyte_cdk.sources.declarative.decoders.composite_raw_decoder")
FILES = "airbyte_cdk.sources.file_based.file_types.jsonl_parser"
TABLES = "airbyte_cdk.sources.file_based.file_types.csv_parser"
OLDER_DECODERS = "airbyte_cdk.sources.declarative.decoders.json_decoder"

TEXT = b'{"price":12345678901234567.89,"tiny":1e-400,"big":18446744073709551617,"rate":1.10,"all":[0.1,"1.5",null]}'
PRICES = '{"exact": 0.1234567890123456789, "plain": 0.5, "big": 18446744073709551617}'


@pytest.fixture(autouse=True)
def files(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stands for the CDK's parsers of files, which need more than a development environment has: what we use of them.

    So does a decoder of older CDKs.
    """
    module: Any = types.ModuleType(FILES)
    module.orjson, module.json = orjson, json
    module._value_to_python_type = lambda text, kind: kind(text)
    module.PYTHON_TYPE_MAPPING = {float: "number", int: "integer"}
    for name in (FILES, TABLES, OLDER_DECODERS):
        monkeypatch.setitem(sys.modules, name, module)
    return module


def response(text: bytes = TEXT) -> Any:
    made = requests.Response()
    made._content = text
    return made


def written(value: object) -> str:
    return document.encode(value).decode()


@pytest.mark.parametrize(
    "read",
    [
        lambda: response().json(),
        lambda: next(decoders.JsonParser().parse(io.BytesIO(TEXT))),
        lambda: next(decoders.JsonLineParser().parse(io.BytesIO(TEXT + b"\n"))),
        lambda: next(decoders.JsonItemsParser("a").parse(io.BytesIO(b'{"a":[' + TEXT + b"]}"))),
        lambda: sys.modules[FILES].orjson.loads(TEXT),
        lambda: sys.modules[FILES].json.loads(TEXT.decode()),
    ],
    ids=["requests", "JSON", "JSON Lines", "items of JSON", "files of JSON Lines", "files, by older CDKs"],
)
def test_no_digit_is_lost(read: Any) -> None:
    with exact_numbers():
        found = read()

    assert written(found).replace("E", "e") == TEXT.decode().replace("1.10", "1.1")
    assert found["price"] + 1 == 12345678901234567.89 + 1


@pytest.mark.parametrize(
    ("text", "kind", "want"),
    [
        ("0.1234567890123456789", float, "0.1234567890123456789"),
        ("18446744073709551617", float, "18446744073709551617"),
        ("1e-400", float, "1e-400"),
        ("7", float, "7.0"),
        ("+0.1234567890123456789", float, "0.12345678901234568"),
        (" 1_000.5", float, "1000.5"),
        ("18446744073709551617", int, "18446744073709551617"),
        ("0.1234567890123456789", str, '"0.1234567890123456789"'),
    ],
)
def test_numbers_of_a_table_s_column_are_exact_where_they_are_json(
    files: Any, text: str, kind: type, want: str
) -> None:
    with exact_numbers():
        assert written(files._value_to_python_type(text, kind)).replace("E", "e") == want


def test_numbers_that_know_their_text_have_the_type_of_floats(files: Any) -> None:
    with exact_numbers():
        found = {name: files.PYTHON_TYPE_MAPPING[type(value)] for name, value in files.json.loads(PRICES).items()}

    assert found == {"exact": "number", "plain": "number", "big": "integer"}


def test_afterwards_everything_is_as_it_was(files: Any) -> None:
    def places() -> list[Any]:
        return [
            requests.models.Response.json,
            decoders.orjson,
            decoders.json,
            decoders.ijson,
            files.orjson,
            files.json,
            files._value_to_python_type,
            files.PYTHON_TYPE_MAPPING,
        ]

    before = places()
    with exact_numbers():
        within = places()

    assert places() == before
    assert not any(now is then for now, then in zip(within, before, strict=True))


def test_options_of_a_source_s_own_go_first() -> None:
    with exact_numbers():
        assert response().json(parse_float=str)["price"] == "12345678901234567.89"
        assert decoders.json.loads("[1.5]", parse_float=str) == ["1.5"]
        assert type(next(decoders.ijson.items(io.BytesIO(b"[1.5]"), "item"))) is decimal.Decimal


def test_what_is_no_json_fails_as_it_did(files: Any) -> None:
    with exact_numbers():
        with pytest.raises(requests.exceptions.JSONDecodeError):
            response(b"{").json()
        with pytest.raises(orjson.JSONDecodeError):
            files.orjson.loads(b'{"a":')
        assert files.orjson.JSONDecodeError is orjson.JSONDecodeError
        assert decoders.json.loads("[NaN]") != []  # which Python's own reader takes


def test_what_is_not_imported_is_left_alone(files: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (FILES, TABLES, OLDER_DECODERS):
        monkeypatch.delitem(sys.modules, name)

    with exact_numbers():
        assert files.orjson is orjson
        assert response().json()["big"] == 2**64 + 1


def test_documents_of_a_capture_have_every_digit() -> None:
    class Fetching(Played):
        def read(self, *args: Any) -> Iterator[Any]:
            yield record("prices", response().json())

    sync = Sync(Fetching(), request(rows("prices")))

    assert sync.failure == ""
    assert '"price":12345678901234567.89,"tiny":1e-400,"big":18446744073709551617,"rate":1.1' in sync.texts[0]
