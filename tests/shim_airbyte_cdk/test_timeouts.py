from __future__ import annotations

import importlib
import socket
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from python.shim_airbyte_cdk.timeouts import CONNECT_SECONDS_MAX, SILENCE_SECONDS_MAX, default_timeouts

requests: Any = importlib.import_module("requests")
urllib3: Any = importlib.import_module("urllib3")


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
    assert socket.getdefaulttimeout() is None

    with pytest.raises(KeyError), default_timeouts():
        raise KeyError

    assert requests.Session.send is before
    assert socket.getdefaulttimeout() is None


def test_without_requests_sockets_alone_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    before = requests.Session.send

    with default_timeouts():
        assert requests.Session.send is before
        assert socket.getdefaulttimeout() == SILENCE_SECONDS_MAX


def test_a_session_made_before_and_a_request_of_another_thread_have_one_too(sent: list[Any]) -> None:
    session = requests.Session()
    with default_timeouts(1, 2):
        session.send("request")
        other = threading.Thread(target=session.send, args=("request",))
        other.start()
        other.join()

    assert sent == [(1, 2)] * 2


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.mark.parametrize(
    "ask",
    [
        requests.get,
        urllib.request.urlopen,
        lambda url: urllib3.PoolManager().request("GET", url, retries=False),
    ],
    ids=["requests", "urllib", "urllib3"],
)
def test_a_server_that_says_nothing_is_given_up(ask: Any, silent: str) -> None:
    with default_timeouts(5, 0.05), pytest.raises((OSError, urllib3.exceptions.HTTPError), match="timed out"):
        ask(silent)


def test_a_default_of_the_process_s_own_stays() -> None:
    socket.setdefaulttimeout(7)
    try:
        with default_timeouts():
            assert socket.getdefaulttimeout() == 7
        assert socket.getdefaulttimeout() == 7
    finally:
        socket.setdefaulttimeout(None)
