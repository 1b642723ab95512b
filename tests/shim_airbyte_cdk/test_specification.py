from __future__ import annotations

from typing import Any

import pytest

from python.shim_airbyte_cdk.specification import config_schema, provider_of


def translated(properties: dict[str, Any], provider: str = "", **spec: Any) -> Any:
    return config_schema({"connectionSpecification": {"title": "X Spec", "properties": properties}, **spec}, provider)


def only(**schema: Any) -> Any:
    return translated({"p": schema})["properties"]["p"]


def test_a_secret_is_flow_s() -> None:
    assert only(type="string", title="Key", airbyte_secret=True) == {"type": "string", "title": "Key", "secret": True}
    assert only(airbyte_secret=True) == {"type": "string", "secret": True}
    assert only(type=["null", "string"], airbyte_secret=True) == {"type": "string", "secret": True}


@pytest.mark.parametrize("kind", ["array", "integer", "object"])
def test_what_is_no_text_cannot_be_secret(kind: str) -> None:
    assert only(type=kind, airbyte_secret=True) == {"type": kind}


def test_what_is_not_secret_is_not_marked() -> None:
    assert only(type="string", airbyte_secret=False) == {"type": "string"}


def test_airbyte_s_keywords_go_and_flow_s_stay() -> None:
    kept = {
        "title": "P",
        "description": "d",
        "type": "string",
        "order": 3,
        "multiline": True,
        "pattern": "^a",
        "examples": [1],
    }
    gone = {
        "airbyte_hidden": True,
        "always_show": True,
        "group": "g",
        "pattern_descriptor": "YYYY",
        "airbyte_type": "x",
    }

    assert only(**kept, **gone) == kept


def test_a_property_may_bear_the_name_of_a_keyword() -> None:
    assert translated({"group": {"type": "string"}})["properties"] == {"group": {"type": "string"}}


def test_values_are_not_schemas() -> None:
    assert only(type="object", default={"group": 1})["default"] == {"group": 1}


def test_the_root_is_an_open_object() -> None:
    spec: dict[str, Any] = {"connectionSpecification": {"$schema": "x", "additionalProperties": False, "groups": []}}

    assert config_schema(spec, "") == {"type": "object", "properties": {}}
    assert config_schema({}, "") == {"type": "object", "properties": {}}


def test_the_order_of_properties_is_kept() -> None:
    assert list(translated({"z": {}, "a": {}, "m": {}})["properties"]) == ["z", "a", "m"]


def test_an_enumeration_has_a_type() -> None:
    assert only(enum=["a", "b"]) == {"enum": ["a", "b"], "type": "string"}


OAUTH = {"properties": {"auth_type": {"const": "oauth2.0"}, "client_id": {}, "refresh_token": {"airbyte_secret": True}}}
TOKEN = {"properties": {"auth_type": {"type": "string", "enum": ["token"], "default": "old"}, "token": {}}}


def test_a_choice_gets_its_discriminator() -> None:
    found = only(oneOf=[OAUTH, TOKEN])

    assert found["type"] == "object"
    assert found["discriminator"] == {"propertyName": "auth_type"}
    assert [branch["properties"]["auth_type"] for branch in found["oneOf"]] == [
        {"type": "string", "const": "oauth2.0", "default": "oauth2.0"},
        {"type": "string", "const": "token", "default": "token"},
    ]


@pytest.mark.parametrize(
    "branches",
    [
        [{"properties": {"a": {"const": "x"}}}, {"properties": {"a": {"const": "x"}}}],
        [{"properties": {"a": {"const": "x"}}}, {"properties": {}}],
        [{"type": "string"}, {"type": "null"}],
    ],
)
def test_a_choice_that_nothing_tells_apart_gets_none(branches: Any) -> None:
    assert "discriminator" not in only(oneOf=branches)


def test_the_branch_that_oauth_fills_is_marked_and_required() -> None:
    auth = {"predicate_key": ["credentials", "auth_type"], "predicate_value": "oauth2.0"}
    found = translated({"credentials": {"oneOf": [TOKEN, OAUTH]}}, "x", advanced_auth=auth)

    assert [branch.get("x-oauth2-provider") for branch in found["properties"]["credentials"]["oneOf"]] == [None, "x"]
    assert found["required"] == ["credentials"]


def test_without_a_predicate_the_branch_with_tokens_is_marked() -> None:
    found = translated({"credentials": {"oneOf": [TOKEN, OAUTH]}}, "x")

    assert [branch.get("x-oauth2-provider") for branch in found["properties"]["credentials"]["oneOf"]] == [None, "x"]


def test_credentials_without_a_choice_are_marked_themselves() -> None:
    assert translated({"credentials": OAUTH}, "x")["properties"]["credentials"]["x-oauth2-provider"] == "x"


def test_where_there_are_no_credentials_it_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    assert "required" not in translated({"token": {}}, "x")
    assert "no /credentials for the OAuth provider x" in caplog.text


def test_the_spec_itself_is_not_changed() -> None:
    spec: dict[str, Any] = {
        "connectionSpecification": {"properties": {"credentials": {"oneOf": [OAUTH, TOKEN]}}, "required": []}
    }
    before = str(spec)

    config_schema(spec, "x")

    assert str(spec) == before


@pytest.mark.parametrize(
    ("title", "want"),
    [("Big Data Spec", "big-data"), ("Source Airtable Spec", "airtable"), ("", ""), ("GitHub-Source", "github")],
)
def test_a_provider_is_named_by_the_title(title: str, want: str) -> None:
    assert provider_of({"connectionSpecification": {"title": title}}) == want


def test_an_object_that_is_secret_is_so_in_each_of_its_texts() -> None:
    account = {"type": "object", "properties": {"key": {"type": "string"}, "port": {"type": "integer"}}}

    assert only(airbyte_secret=True, **account)["properties"] == {
        "key": {"type": "string", "secret": True},
        "port": {"type": "integer"},
    }
