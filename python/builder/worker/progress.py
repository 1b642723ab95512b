"""Events of a read from the CDK's messages: a slice with its first page, a page when the next begins, logs at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from .kinds import Foreign, Json

__all__ = ["Progress", "descriptor"]

_SLICE = "slice:"
_REQUEST, _RESPONSE = "request:", "response:"  # an exchange's two logs in CDKs before 0.50


class Progress:
    """Groups the messages of one read. A page is one HTTP exchange with the records that follow it."""

    def __init__(self, stream: str, emit: Callable[[str, Json], None]) -> None:
        """Call `emit(kind, data)` with each event of a read of `stream`."""
        self._stream = stream
        self._emit = emit
        self._page: dict[str, Json] | None = None
        self._slice: Json = None  # told with its first page: the CDK may name a slice twice, or one that has none

    def see(self, message: Foreign) -> None:
        """Take the CDK's next message."""
        kind = message.type.value
        if kind == "RECORD":
            self._page = self._page or {"records": []}
            self._page["records"].append(message.record.data)
        elif kind == "LOG":
            self._log(message.log)
        elif kind == "TRACE" and message.trace.error is not None:
            error = message.trace.error
            self._emit("log", {"message": error.message, "level": "ERROR", "internal_message": error.internal_message})

    def end(self) -> None:
        """Tell of the last page, as far as it came."""
        if self._page is not None:
            self._emit("page", self._page)
        self._page = None

    def _log(self, log: Foreign) -> None:
        text = log.message
        exchange = _exchange(text)
        asked, answered = _told(text, _REQUEST), _told(text, _RESPONSE)
        if asked is not None:
            self._begin({"request": asked, "response": None})
        elif answered is not None and self._page is not None:
            self._page["response"] = {"status": answered.pop("status_code", None), **answered}
        elif text.startswith(_SLICE):
            self.end()
            self._slice = descriptor(text[len(_SLICE) :])
        elif exchange is None:
            self._emit("log", {"message": text, "level": log.level.value})
        elif self._is_page(exchange):
            self._begin(_shown(exchange))

    def _begin(self, page: Mapping[str, Json]) -> None:
        self.end()
        if self._slice is not None:
            self._emit("slice", {"slice_descriptor": self._slice})
        self._slice = None
        self._page = {"records": [], **page}

    def _is_page(self, exchange: Mapping[str, Json]) -> bool:
        if exchange["http"].get("is_auxiliary"):
            return False
        stream = (exchange.get("airbyte_cdk") or {}).get("stream") or {}
        return stream.get("name") in (None, self._stream)


def descriptor(text: Json) -> Json:
    """Return a slice's descriptor as an object: the CDK gives its text, and "{}", a text again, where there is none."""
    try:
        while isinstance(text, str):
            text = json.loads(text)
    except ValueError:
        return text
    return text


def _exchange(text: str) -> dict[str, Json] | None:
    """Return what a log tells of an HTTP exchange, None if it is another log."""
    told = _told(text, "")
    return told if told is not None and isinstance(told.get("http"), dict) else None


def _told(text: str, before: str) -> dict[str, Json] | None:
    """Return the object that stands in a log after `before`, None if it is another log."""
    if not text.startswith(before + "{"):
        return None
    try:
        told = json.loads(text[len(before) :])
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _shown(exchange: Mapping[str, Json]) -> dict[str, Json]:
    request = exchange["http"].get("request") or {}
    response = exchange["http"].get("response") or {}
    return {
        "request": {
            "url": (exchange.get("url") or {}).get("full", ""),
            "http_method": request.get("method", ""),
            "headers": request.get("headers"),
            "body": (request.get("body") or {}).get("content", ""),
        },
        "response": {
            "status": response.get("status_code"),
            "headers": response.get("headers"),
            "body": (response.get("body") or {}).get("content", ""),
        },
    }
