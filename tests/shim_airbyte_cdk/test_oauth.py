from __future__ import annotations

import json
from typing import Any

import pytest

from python.protocol.flow import OAuth2
from python.shim_airbyte_cdk.oauth import given, oauth2_of

FLOW: dict[str, Any] = {
    "consent_url": "https://x.test/auth?{{client_id_key}}={{client_id_value}}"
    "&{{ redirect_uri_key }}={{ redirect_uri_value | urlEncoder }}"
    "&{{ scope_key }}={{ scope_value | urlEncoder }}&{{ state_key }}={{ state_value }}",
    "access_token_url": "https://{{ subdomain }}.x.test/token",
    "access_token_params": {
        "grant_type": "authorization_code",
        "{{ auth_code_key }}": "{{ auth_code_value }}",
        "{{ client_secret_key }}": "{{ client_secret_value }}",
    },
    "scope": "read write",
    "client_secret_key": "secret",
    "extract_output": ["access_token", "data.refresh_token"],
}
OUTPUT = {
    "properties": {
        "access_token": {"type": "string", "path_in_connector_config": ["credentials", "access_token"]},
        "data.refresh_token": {"type": "string", "path_in_connector_config": ["credentials", "refresh_token"]},
    }
}
INPUT = {"properties": {"subdomain": {"path_in_connector_config": ["shop", "subdomain"]}}}


def mapped(flow: dict[str, Any] | None = None, **config: Any) -> OAuth2 | None:
    specified = {
        "oauth_connector_input_specification": {**FLOW, **(flow or {})},
        "complete_oauth_output_specification": OUTPUT,
        "oauth_user_input_from_connector_config_specification": INPUT,
        **config,
    }
    spec = {
        "connectionSpecification": {"title": "Shop Spec"},
        "advanced_auth": {"oauth_config_specification": specified},
    }
    return oauth2_of(spec)


def test_declarative_oauth_becomes_templates() -> None:
    oauth2 = mapped()

    assert oauth2 is not None
    assert oauth2.provider == "shop"
    assert oauth2.auth_url_template == (
        "https://x.test/auth?client_id={{{ client_id }}}&redirect_uri={{#urlencode}}{{{ redirect_uri }}}{{/urlencode}}"
        "&scope=read%20write&state={{{ state }}}"
    )
    assert oauth2.access_token_url_template == "https://{{{ config.shop.subdomain }}}.x.test/token"
    assert json.loads(oauth2.access_token_body) == {
        "grant_type": "authorization_code",
        "code": "{{{ code }}}",
        "secret": "{{{ client_secret }}}",
    }
    assert {name: json.loads(bytes(at)) for name, at in oauth2.access_token_response_map.items()} == {
        "access_token": "/access_token",
        "refresh_token": "/data/refresh_token",
    }


def test_a_form_is_sent_as_a_form() -> None:
    oauth2 = mapped({"access_token_headers": {"Content-Type": "application/x-www-form-urlencoded"}})

    assert oauth2 is not None
    assert oauth2.access_token_body == (
        "grant_type=authorization_code&code={{#urlencode}}{{{ code }}}{{/urlencode}}"
        "&secret={{#urlencode}}{{{ client_secret }}}{{/urlencode}}"
    )
    assert oauth2.access_token_headers.keys() == {"Content-Type"}


def test_without_parameters_there_is_no_body() -> None:
    oauth2 = mapped({"access_token_params": None})

    assert oauth2 is not None
    assert oauth2.access_token_body == ""


def test_a_code_challenge_is_flow_s() -> None:
    oauth2 = mapped(
        {
            "consent_url": "https://x.test/?c={{ state_value | codeChallengeS256 }}",
            "access_token_params": {"code_verifier": "{{ state_value }}"},
        }
    )

    assert oauth2 is not None
    assert oauth2.auth_url_template == "https://x.test/?c={{{ code_challenge }}}"
    assert json.loads(oauth2.access_token_body) == {"code_verifier": "{{{ code_verifier }}}"}


@pytest.mark.parametrize(("strategy", "want"), [(None, "a%20b%20c"), ("comma", "a%2Cb%2Cc"), ("odd", "a%20b%20c")])
def test_scopes_are_joined(strategy: str | None, want: str) -> None:
    oauth2 = mapped(
        {
            "scope": None,
            "scopes": [{"scope": "a"}, {"scope": "b"}],
            "optional_scopes": [{"scope": "c"}],
            **({"scopes_join_strategy": strategy} if strategy else {}),
            "consent_url": "https://x.test/?s={{ scope_value | urlEncoder }}",
        }
    )

    assert oauth2 is not None
    assert oauth2.auth_url_template == f"https://x.test/?s={want}"


def test_outputs_without_a_path_go_into_the_credentials() -> None:
    oauth2 = mapped({"extract_output": ["access_token"]}, complete_oauth_output_specification={})

    assert oauth2 is not None
    assert list(oauth2.access_token_response_map) == ["access_token"]


@pytest.mark.parametrize(
    ("flow", "config", "reason"),
    [
        ({"consent_url": "{{ client_id_value | rot13 }}"}, {}, "it filters client_id_value with rot13"),
        ({"consent_url": "{{ tenant }}"}, {}, "it uses tenant, which is none"),
        (
            {"extract_output": ["t"]},
            {"complete_oauth_output_specification": {"properties": {"t": {"path_in_connector_config": ["token"]}}}},
            "t belongs at /token, and Flow fills /credentials alone",
        ),
    ],
)
def test_what_flow_cannot_do_is_warned_of(
    flow: Any, config: Any, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert mapped(flow, **config) is None
    assert reason in caplog.text


@pytest.mark.parametrize(
    "spec", [{}, {"advanced_auth": {"oauth_config_specification": {"complete_oauth_output_specification": OUTPUT}}}]
)
def test_a_spec_without_urls_has_no_templates(spec: Any) -> None:
    assert oauth2_of(spec) is None


def test_an_author_gives_nothing_a_value_or_a_mapping() -> None:
    value = OAuth2(provider="x", auth_url_template="a", access_token_url_template="t")

    assert given(None) is None
    assert given(value) is value
    assert given({"provider": "x", "authUrlTemplate": "a", "accessTokenUrlTemplate": "t"}) == value
