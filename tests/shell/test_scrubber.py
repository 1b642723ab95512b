from __future__ import annotations

import base64
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.shell.scrubber import MASK, Scrubber, secrets_in

SECRET = 'pa ss/"wörd"+\\x'


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        urllib.parse.quote(SECRET),
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_every_spelling_is_masked(spelling: str) -> None:
    scrubber = Scrubber()
    scrubber.add([SECRET])

    assert scrubber.text(f"<{spelling}>") == f"<{MASK}>"


@given(st.text(max_size=9), st.text(min_size=12), st.text(max_size=9))
def test_base64_of_a_longer_text_keeps_no_recognisable_part(before: str, secret: str, after: str) -> None:
    scrubber = Scrubber()
    scrubber.add([secret])
    text = base64.b64encode((before + secret + after).encode()).decode()

    assert MASK in scrubber.text(text)


def test_the_longest_secret_is_masked_first() -> None:
    scrubber = Scrubber()
    scrubber.add(["key", "key-of-keys"])

    assert scrubber.text("key-of-keys and key") == f"{MASK} and {MASK}"


def test_values_are_masked_in_keys_numbers_and_depth() -> None:
    scrubber = Scrubber()
    scrubber.add(["1234", "abc"])

    assert scrubber.value({"xabcx": [1234, ("abc",), True, None, 5]}) == {f"x{MASK}x": [MASK, [MASK], True, None, 5]}


def test_the_lines_of_a_private_key_are_masked_one_by_one() -> None:
    scrubber = Scrubber()
    scrubber.add(["-----BEGIN-----\nMIIEvQIBADANBg\nxyz\n"])

    assert scrubber.text("line MIIEvQIBADANBg here, xyz too") == f"line {MASK} here, xyz too"


def test_secrets_are_found_in_every_branch_of_the_schema() -> None:
    schema = {
        "properties": {
            "password": {"type": "string", "secret": True},
            "auth": {
                "oneOf": [
                    {"properties": {"token": {"airbyte_secret": True}}},
                    {"$ref": "#/$defs/pair"},
                ]
            },
            "keys": {"type": "array", "items": {"secret": True}},
            "headers": {"additionalProperties": {"secret": True}},
            "plain": {"type": "string"},
        },
        "$defs": {"pair": {"properties": {"pin": {"secret": True}, "loop": {"$ref": "#/$defs/pair"}}}},
    }
    config = {
        "password": "p1",
        "auth": {"token": "t1", "pin": 4711, "loop": {"pin": 4712}},
        "keys": ["k1", {"deep": "k2"}],
        "headers": {"x": "h1"},
        "plain": "no",
    }

    assert set(secrets_in(config, schema)) == {"p1", "t1", "4711", "4712", "k1", "k2", "h1"}


def test_secrets_are_found_by_the_pattern_of_their_name_and_by_their_place() -> None:
    schema = {
        "properties": {
            "headers": {"patternProperties": {"^x-": {"secret": True}}},
            "pair": {"prefixItems": [{}, {"secret": True}]},
        }
    }
    config = {"headers": {"x-token": "sesame", "accept": "json"}, "pair": ["user", "word"]}

    assert list(secrets_in(config, schema)) == ["sesame", "word"]


def test_what_is_no_json_is_masked_as_it_will_be_written() -> None:
    class Config:
        def __str__(self) -> str:
            return "a config"

        def __repr__(self) -> str:
            return "Config(password='sesame')"

    scrubber = Scrubber()
    scrubber.add(["sesame"])

    assert scrubber.value(Config()) == "Config(password='****')"
