"""What came back from an API, page by page: of which kind it is, and where lists are in it.

It runs inside of the interpreter that has airbyte-cdk: standard library only, Python 3.9.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["ADVICE", "Page", "Place", "at", "kind_of", "lists_in", "page", "scalars_in"]

ADVICE = {
    "an HTML page": "Is this the address of the API, and does the request authenticate? It may be a page to log in.",
    "XML": "Use the XmlDecoder.",
    "lines of JSON": "Use the JsonlDecoder.",
    "a gzip file": "Use the GzipDecoder.",
    "a ZIP file": "Use the ZipfileDecoder.",
}
_BEGINNINGS = {
    "<!doctype html": "an HTML page",
    "<html": "an HTML page",
    "<": "XML",
    "\x1f": "a gzip file",
    "pk\x03\x04": "a ZIP file",
}
_PARSED_CHARACTERS_MAX = 8 * 1024 * 1024  # a hint is not worth more time
_SHOWN_CHARACTERS = 80
_LOOKED_CHARACTERS = 10_000  # of which words are taken, so that none is cut
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_STATUS_ERROR = 400


class _NotJson(NamedTuple):
    """In place of a value, where a body is no JSON."""

    reason: str


class Place(NamedTuple):
    """Where a list of objects is, and how many it has."""

    path: tuple[str, ...]
    size: int


class Page(NamedTuple):
    """One exchange, and the records that the CDK made of it."""

    request: Mapping[str, Any]
    response: Mapping[str, Any]
    records: Sequence[Any]
    json: Any

    @property
    def is_answer(self) -> bool:
        """Whether a server answered, with no error of its own."""
        return bool(self.response) and int(self.response.get("status") or 0) < _STATUS_ERROR

    @property
    def asked(self) -> tuple[object, ...]:
        """What was asked, to be compared."""
        return self.request.get("http_method"), self.request.get("url"), self.request.get("body")

    @property
    def kind(self) -> str:
        """What the body is, as one would say it."""
        body = _body(self.response)
        if not body.strip():
            return "nothing at all"
        if not isinstance(self.json, _NotJson):
            return "JSON"
        start = body.lstrip(" \t\r\n\ufeff")[:200].lower()
        if "html" in _content_type(self.response):
            return "an HTML page"
        for begin, kind in _BEGINNINGS.items():
            if start.startswith(begin):
                return kind
        if _are_json(body.strip().splitlines()[:2]):
            return "lines of JSON"
        return f"broken JSON ({self.json.reason})" if start.startswith(("{", "[")) else "text"

    def shown(self, mask: Callable[[str], str]) -> str:
        """Return the request, its status, and the begin of the body, on one line."""
        body = mask(_body(self.response))
        title = _TITLE.search(body)
        shown = _first_words(html.unescape(title[1]) if title else body)
        begins = f"; its title is {shown!r}" if title else f"; it begins with {shown!r}" if shown else ""
        status, kind = self.response.get("status"), _content_type(self.response)
        said = f" answered {status}{f' with {kind}' if kind else ''}{begins}" if self.response else ""
        return f"{self.request.get('http_method')} {self.request.get('url')}{said}."


def page(told: Mapping[str, Any]) -> Page:
    """Return a page of a result as a `Page`; what is missing is empty."""
    response = told.get("response") or {}
    return Page(told.get("request") or {}, response, told.get("records") or (), _parsed(_body(response)))


def at(value: object, path: Sequence[str]) -> Any:  # noqa: ANN401 -- any JSON value
    """Return what is at `path` in `value`, or None; `*` is the first of a list's items, or of an object's values."""
    for name in path:
        if name == "*":
            items = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else []
            value = items[0] if items else None
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            value = value.get(name) if isinstance(value, Mapping) else None
    return value


def lists_in(value: object, depth_max: int = 4) -> list[Place]:
    """Return where lists of objects are in `value`, the longest first."""
    found = [
        Place(path, len(inner))
        for path, inner in _walked(value, (), depth_max)
        if isinstance(inner, list) and inner and isinstance(inner[0], Mapping)
    ]
    return sorted(found, key=lambda place: (-place.size, place.path))


def scalars_in(value: object, depth_max: int = 3) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the places of texts, numbers and the like in the objects of `value`, not in its lists."""
    for path, inner in _walked(value, (), depth_max):
        if path and not isinstance(inner, (Mapping, list)):
            yield path, inner


def kind_of(value: object) -> str:
    """Return what `value` is, as one would say it."""
    kinds = {type(None): "null", bool: "a boolean", str: "a text", list: "a list", dict: "an object"}
    return kinds.get(type(value), "a number")


def _walked(value: object, path: tuple[str, ...], depth_max: int) -> Iterator[tuple[tuple[str, ...], object]]:
    yield path, value
    if isinstance(value, Mapping) and len(path) < depth_max:
        for name, inner in value.items():
            yield from _walked(inner, (*path, str(name)), depth_max)


def _first_words(text: str) -> str:
    """Return how `text` begins, in whole words."""
    words: list[str] = []
    size = 0
    for word in text[:_LOOKED_CHARACTERS].split()[: -1 if len(text) > _LOOKED_CHARACTERS else None]:
        size += len(word) + 1
        if size > _SHOWN_CHARACTERS:
            return " ".join([*words, "…"])
        words.append(word)
    return " ".join(words)


def _parsed(body: str) -> object:
    if len(body) > _PARSED_CHARACTERS_MAX:
        return None if body.lstrip()[:1] in ("{", "[") else _NotJson("too long to be read")
    try:
        return json.loads(body)
    except RecursionError:
        return _NotJson("nested too deeply")
    except ValueError as error:
        return _NotJson(str(error).partition("; use sys.")[0])


def _are_json(lines: Sequence[str]) -> bool:
    return bool(lines) and not any(isinstance(_parsed(line), _NotJson) for line in lines)


def _body(response: Mapping[str, Any]) -> str:
    body = response.get("body")
    return body if isinstance(body, str) else "" if body is None else json.dumps(body)


def _content_type(response: Mapping[str, Any]) -> str:
    headers = response.get("headers")
    pairs = headers.items() if isinstance(headers, Mapping) else ()
    found = [str(value) for name, value in pairs if str(name).lower() == "content-type"]
    return found[0].partition(";")[0].strip().lower() if found else ""
