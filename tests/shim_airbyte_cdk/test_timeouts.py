from __future__ import annotations

import importlib
from typing import Any

import pytest

from python.shim_airbyte_cdk.timeouts import CONNECT_SECONDS_MAX, SILENCE_SECONDS_MAX, default_timeouts

requests: Any = importlib.import_module("requests")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    seen: list[Any] = []
    monkeypatch.setattr(requests.Session, "send", lambda self, request, **options: seen.append(options.get("timeout")))
    return seen


def test_a_request_without_a_timeout_gets_one(sent: list[Any]) -> None:
    with default_timeouts():
        requests.Session().send("request")
        requests.Session().send("request", timeout=None)

    assert sent == [(CONNECT_SECONDS_MAX, SILENCE_SECONDS_MAX)] * 2


def test_a_timeout_of_the_source_s_own_stays(sent: list[Any]) -> None:
    with default_timeouts():
        requests.Session().send("request", timeout=3)

    assert sent == [3]


def test_afterwards_everything_is_as_it_was() -> None:
    before = requests.Session.send

    with pytest.raises(KeyError), default_timeouts():
        raise KeyError

    assert requests.Session.send is before


def test_without_requests_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    before = requests.Session.send

    with default_timeouts():
        assert requests.Session.send is before
