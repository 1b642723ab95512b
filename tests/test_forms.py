from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from pydantic import BaseModel, Field, SecretStr

from python.forms import form_of
from python.protocol.errors import ConfigError, ConnectorError


class Credentials(BaseModel):
    kind: Literal["token"] = "token"
    token: SecretStr = Field(description="From the settings page.")


class Config(BaseModel, extra="forbid"):
    account: str = Field(title="Account", pattern="^[a-z]+$")
    note: str | None = Field(None, json_schema_extra={"multiline": True})
    credentials: Credentials


class OAuth(BaseModel):
    kind: Literal["oauth"]
    client: str


class Union(BaseModel):
    credentials: Credentials | OAuth = Field(discriminator="kind")
    port: int | bool = 1


class Struct(msgspec.Struct):
    interval: Annotated[int, msgspec.Meta(ge=1, description="Seconds.", extra_json_schema={"order": 7})]
    region: str | None = None


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def test_a_pydantic_model_becomes_a_form() -> None:
    schema: Any = form_of(Config).schema

    assert schema["properties"]["account"] == {"title": "Account", "pattern": "^[a-z]+$", "type": "string", "order": 0}
    assert schema["properties"]["note"] == {"title": "Note", "type": "string", "multiline": True, "order": 1}
    assert schema["$defs"]["Credentials"]["properties"]["token"]["secret"] is True
    assert "additionalProperties" not in schema, "an encrypted config has a member `sops`"


def test_a_struct_becomes_a_form_whose_root_is_an_object() -> None:
    schema: Any = form_of(Struct).schema

    assert schema["type"] == "object"
    assert schema["properties"]["interval"]["order"] == 7
    assert schema["properties"]["region"] == {"title": "Region", "type": "string", "order": 1}


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        (
            Config,
            {"account": "ABC", "credentials": {"token": "t"}},
            "config /account: got 'ABC', want String should match",
        ),
        (Config, {"account": "abc"}, "config /credentials: got nothing, want a value: it is required"),
        (Config, {"credentials": {}}, "and 1 more: /credentials/token"),
        (Union, {"credentials": {"kind": "oauth"}}, "config /credentials/client: got nothing, want a value"),
        (Union, {"credentials": {"kind": "oauth", "client": "c"}, "port": "x"}, "config /port: got 'x', want "),
        (Struct, {"interval": 0}, "config /interval: got 0, want int >= 1"),
        (Struct, {}, "config /interval: got nothing, want a value: it is required"),
        (Struct, {"interval": 1, "region": 5}, "config /region: got 5, want str | null"),
        (Struct, [1], "config /: got [1], want an object"),
    ],
)
def test_an_error_names_the_field_what_came_and_what_is_wanted(kind: Any, value: object, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        form_of(kind).read(raw(value))

    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"n": "x"}, "config /n: got 'x', want the type integer"),
        ({"n": 0}, "config /n: got 0, want 1 or more"),
        ({"n": 1, "mode": "c"}, "config /mode: got 'c', want one of ['a', 'b']"),
        ({}, "config /n: got nothing, want a value: it is required"),
    ],
)
def test_a_plain_schema_checks_dicts(value: object, sentence: str) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 1}, "mode": {"enum": ["a", "b"]}},
        "required": ["n"],
    }

    with pytest.raises(ConfigError) as caught:
        form_of(dict, schema).read(raw(value))

    assert str(caught.value) == sentence


def test_the_mark_of_a_decrypted_config_is_not_the_authors() -> None:
    assert form_of(dict).read(raw({"a": 1, "sops": {}})) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b'{"a":1e400}', "Number out of range"),
        (b'{"a":%b}' % (b"7" * 10_000), "Integer value out of range"),
        (b'{"a":"\xff"}', "can't decode byte 0xff"),
        (b'{"a":%b%b}' % (b"[" * 100_000, b"]" * 100_000), "maximum recursion depth"),
    ],
)
def test_what_python_cannot_hold_is_told_in_a_sentence(text: bytes, sentence: str) -> None:
    with pytest.raises(ConnectorError, match=f"a config cannot be read: .*{sentence}"):
        form_of(dict).read(msgspec.Raw(text))
