from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple

import pytest

from python.registry.service import notices
from python.registry.service.notices import TEXT_CHARACTERS_MAX, NoticeError, notify, webhook_in
from tests.listening import listening

SECRET = "T000-B000-secret"


class Chat(NamedTuple):
    url: str
    texts: list[str]


@contextlib.contextmanager
def chat(statuses: Sequence[int] = ()) -> Iterator[Chat]:
    """A webhook on loopback that answers with `statuses`, then with 200; `texts` are what it was sent."""
    texts, left = list[str](), list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            texts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(left.pop(0) if left else 200)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name of the base class
            """Say nothing."""

    with listening(Handler) as url:
        yield Chat(f"{url}/services/{SECRET}", texts)


def test_a_message_arrives_as_plain_text() -> None:
    with chat() as slack:
        notify(slack.url, "a <b> & c")

    assert slack.texts == ["a &lt;b&gt; &amp; c"]


def test_a_long_message_is_cut_to_what_is_shown() -> None:
    with chat() as slack:
        notify(slack.url, "x" * 10_000)

    assert slack.texts == ["x" * (TEXT_CHARACTERS_MAX - 1) + "…"]


def test_a_busy_chat_is_asked_again() -> None:
    slept = list[float]()
    with chat([429, 503]) as slack:
        notify(slack.url, "hello", slept.append)

    assert slack.texts == ["hello"] * 3
    assert len(slept) == 2


@pytest.mark.parametrize(("statuses", "asked"), [([404], 1), ([302], 1), ([500, 500, 500], 3)])
def test_what_is_not_taken_is_told_without_the_address(statuses: list[int], asked: int) -> None:
    with chat(statuses) as slack, pytest.raises(NoticeError, match=f"it answers {statuses[0]}") as told:
        notify(slack.url, "hello", lambda _: None)

    assert len(slack.texts) == asked
    assert SECRET not in str(told.value)
    assert told.value.__cause__ is None


def test_a_chat_that_is_not_there_is_told_without_the_address() -> None:
    with chat() as slack:
        pass

    with pytest.raises(NoticeError, match="cannot be reached") as told:
        notify(slack.url, "hello", lambda _: None)
    assert SECRET not in str(told.value)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n"])
def test_a_chat_that_does_not_answer_holds_nobody_up_and_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(notices, "TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as open_until_then:

        def answer() -> None:
            connection = open_until_then.enter_context(server.accept()[0])
            connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(NoticeError, match=r"it does not answer within 0\.1 seconds|timed out|TimeoutError") as told:
            notify(
                f"http://127.0.0.1:{server.getsockname()[1]}/{SECRET}", "hello", lambda _: pytest.fail("asked again")
            )
        thread.join()

    assert SECRET not in str(told.value)


@pytest.mark.parametrize("url", [f"http://chat.example.com/{SECRET}", f"file:///{SECRET}", f"https://a b/{SECRET}"])
def test_an_address_that_no_message_must_go_to_is_told_without_it(url: str) -> None:
    with pytest.raises(NoticeError) as told:
        notify(url, "hello", lambda _: None)

    assert SECRET not in str(told.value)


def test_the_general_webhook_goes_before_that_of_airbytes_reports() -> None:
    both = {"NIGHTLY_REPORT_SLACK_WEBHOOK_URL": "https://b", "SLACK_WEBHOOK_URL": "https://a"}

    assert webhook_in(both) == "https://a"
    assert webhook_in({**both, "SLACK_WEBHOOK_URL": ""}) == "https://b"
    assert webhook_in({}) is None
