from __future__ import annotations

from typing import Any

import pytest

from python.shim_singer_sdk.secret_names import looks_secret, marked, secrets_in

TEXT: dict[str, Any] = {"type": ["string", "null"]}


def only(name: str, schema: dict[str, Any]) -> Any:
    return marked({"properties": {name: schema}})["properties"][name]  # type: ignore[index] # they are there


@pytest.mark.parametrize(
    "name",
    [
        *("password", "db_passwd", "passphrase", "client_secret", "refresh_token", "apiKey", "api_keys"),
        *("private_key", "secretAccessKey", "credentials_json", "CREDENTIALS", "auth_token_value"),
        *("Authorization", "X-Api-Key", "cookies"),
    ],
)
def test_a_name_that_is_a_secret_s(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name", ["primary_keys", "access_token_url", "next_page_token_path", "client_id", "token_expiry", "host", ""]
)
def test_a_name_that_is_none(name: str) -> None:
    assert not looks_secret(name)


def test_a_text_that_looks_secret_is_marked_and_others_are_not() -> None:
    assert only("password", TEXT) == {"secret": True, **TEXT}
    assert only("user", TEXT) == TEXT
    assert only("token", {"type": "integer"}) == {"type": "integer"}


def test_what_the_tap_says_itself_stays() -> None:
    assert only("password", {**TEXT, "secret": False}) == {**TEXT, "secret": False}


def test_each_member_of_an_object_that_looks_secret_is_one() -> None:
    assert only("api_keys", {"type": "object"}) == {"type": "object", "additionalProperties": {"secret": True}}


def test_settings_are_marked_at_any_depth() -> None:
    nested = {"type": "object", "properties": {"token": TEXT}}

    assert only("auth", nested)["properties"]["token"]["secret"] is True
    assert only("streams", {"type": "array", "items": nested})["items"]["properties"]["token"]["secret"] is True


def test_the_schema_is_not_changed() -> None:
    schema: dict[str, Any] = {"properties": {"password": TEXT}}

    marked(schema)

    assert schema == {"properties": {"password": {"type": ["string", "null"]}}}
    assert marked({"type": "object"}) == {"type": "object"}


def test_the_secrets_of_a_config_are_found_by_the_names_above_them() -> None:
    config = {
        "user": "u",
        "password": "p1",
        "api_keys": {"X": "p2", "deeper": ["p3"]},
        "streams": [{"name": "n", "token": "p4"}],
        "token": 5,
    }

    assert list(secrets_in(config)) == ["p1", "p2", "p3", "p4"]
