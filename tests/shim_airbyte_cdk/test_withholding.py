from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from airbyte_cdk.sources.declarative.auth.token_provider import SessionTokenProvider
from airbyte_cdk.utils import airbyte_secrets_utils

from python.shell import logs
from python.shim_airbyte_cdk.reports import Reports
from python.shim_airbyte_cdk.withholding import told_of_exchange, withholding


@pytest.fixture
def protected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(logs, "protect", found.extend)
    monkeypatch.setattr(airbyte_secrets_utils, "__SECRETS_FROM_CONFIG", [])
    return found


def test_headers_and_bodies_of_the_cdk_s_logs_are_left_out(
    protected: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    extra = {"headers": {"Authorization": "Bearer x"}, "url": "http://a.test", "request_body": b"x", "body": "x"}

    with withholding():
        logging.getLogger("airbyte.streams.users").warning("asked", extra=extra)
        logging.getLogger("other").warning("asked", extra=extra)
    logging.getLogger("airbyte").warning("asked", extra=extra)

    kept = [{name for name in extra if hasattr(record, name)} for record in caplog.records]
    assert kept == [{"url"}, set(extra), set(extra)]
    assert protected == []


def test_what_the_cdk_adds_to_its_secrets_is_masked(protected: list[str]) -> None:
    with withholding():
        airbyte_secrets_utils.add_to_secrets("access-token-0123456789")
        logging.getLogger("airbyte").warning("refreshed")

    assert protected == ["access-token-0123456789"]


def test_a_session_token_is_masked_before_it_is_used(protected: list[str]) -> None:
    class Provider(SessionTokenProvider):
        def __init__(self) -> None:
            self._token = "session-0123456789"

        def _refresh_if_necessary(self) -> None: ...

    with withholding():
        Provider().get_token()

    assert protected == ["session-0123456789"]


EXCHANGE: Any = {
    "http": {
        "title": "Login",
        "request": {"method": "POST", "headers": {"Authorization": "x"}, "body": {"content": "x"}},
        "response": {"status_code": 200, "headers": {}, "body": {"content": "x"}},
    },
    "url": {"full": "http://a.test/login"},
}


def test_a_message_that_tells_of_a_request_tells_what_was_asked_and_how_it_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="airbyte"):
        Reports([], lambda config: None).take("LOG", {"level": "DEBUG", "message": json.dumps(EXCHANGE)})

    assert json.loads(caplog.records[0].getMessage()) == {
        "http": {"title": "Login", "method": "POST", "status": 200},
        "url": "http://a.test/login",
    }


@pytest.mark.parametrize("text", ["plain", 'no JSON, with "http"', '{"http": 1}', '["http"]'])
def test_other_messages_are_told_as_they_are(text: str) -> None:
    assert told_of_exchange(text) == text
