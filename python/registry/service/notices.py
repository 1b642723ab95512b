"""A message to people, posted to a webhook of Slack's, or of a chat that takes the same form."""

from __future__ import annotations

import http
import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

import msgspec

from python.protocol.errors import HeadwaterError

__all__ = ["TEXT_CHARACTERS_MAX", "VARIABLES", "NoticeError", "notify", "webhook_in"]

VARIABLES = ("SLACK_WEBHOOK_URL", "NIGHTLY_REPORT_SLACK_WEBHOOK_URL")
"""The environment variables that may name the webhook; the first that does is taken. The second is Airbyte's."""

TEXT_CHARACTERS_MAX = 3_000  # what Slack shows without folding it away
TIMEOUT_SECONDS = 10.0
TRIES_MAX = 3
PAUSE_SECONDS = 1.0  # Slack takes a message a second

_LOOPBACK = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")
_HANDLERS = (  # all but the one for redirects: a message that is sent elsewhere has not arrived
    urllib.request.ProxyHandler,
    urllib.request.HTTPHandler,
    urllib.request.HTTPSHandler,
    urllib.request.HTTPDefaultErrorHandler,
    urllib.request.HTTPErrorProcessor,
)
_NO_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class NoticeError(HeadwaterError):
    """Nobody was told. Its message never has the webhook's address: whoever knows that can write there."""


def webhook_in(environment: Mapping[str, str]) -> str | None:
    """Return the address that messages go to, a secret; None where nobody wants to be told."""
    return next((environment[name] for name in VARIABLES if environment.get(name)), None)


def notify(webhook: str, text: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """`text` is posted to `webhook`, as plain text, cut to what a chat shows. Raises NoticeError.

    A server that is busy or broken is asked again, TRIES_MAX times in all; one that does not answer in TIMEOUT_SECONDS
    is not, as it may have taken the message.
    """
    if not webhook.startswith(("https://", *_LOOPBACK)):
        raise NoticeError(f"the webhook in {' or '.join(VARIABLES)} is no https:// address")
    shown = text if len(text) <= TEXT_CHARACTERS_MAX else f"{text[: TEXT_CHARACTERS_MAX - 1]}…"
    body = msgspec.json.encode({"text": shown.translate(_NO_MARKUP)})
    why = ""
    for left in reversed(range(TRIES_MAX)):
        why, is_final = _in_time(webhook, body)
        if not why:
            return
        if is_final or not left:
            break
        sleep(PAUSE_SECONDS)
    raise NoticeError(f"the webhook did not take the message: {why}")


def _in_time(webhook: str, body: bytes) -> tuple[str, bool]:
    """Do as `_posted`, for TIMEOUT_SECONDS at most, however slowly the server sends byte by byte."""
    found = list[tuple[str, bool]]()
    thread = threading.Thread(target=lambda: found.append(_posted(webhook, body)), daemon=True)
    thread.start()
    thread.join(TIMEOUT_SECONDS)
    return found[0] if found else (f"it does not answer within {TIMEOUT_SECONDS:g} seconds", True)


def _posted(webhook: str, body: bytes) -> tuple[str, bool]:
    """Return why the message was not taken, empty if it was, and whether it is in vain to try again."""
    opener = urllib.request.OpenerDirector()
    for handler in _HANDLERS:
        opener.add_handler(handler())
    try:
        request = urllib.request.Request(  # noqa: S310 -- https, or loopback
            webhook, data=body, method="POST", headers={"Content-Type": "application/json"}
        )
        opener.open(request, timeout=TIMEOUT_SECONDS).close()
    except urllib.error.HTTPError as error:
        is_busy = error.code == http.HTTPStatus.TOO_MANY_REQUESTS or error.code >= http.HTTPStatus.INTERNAL_SERVER_ERROR
        return f"it answers {error.code}", not is_busy
    except urllib.error.URLError as error:
        return f"it cannot be reached ({_kind(error.reason)})", isinstance(error.reason, TimeoutError)
    except (http.client.InvalidURL, ValueError):  # their messages quote the address
        return "its address is none", True
    except (OSError, http.client.HTTPException) as error:
        return f"it cannot be reached ({_kind(error)})", isinstance(error, TimeoutError)
    return "", True


def _kind(error: object) -> str:
    """Return what happened, without what an error quotes."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
