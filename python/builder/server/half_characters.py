"""Half characters: JSON can write one half of a surrogate pair, which no text in UTF-8 holds. Refused at the edge."""

from __future__ import annotations

import json
import re
from typing import Any

from python.builder.server.problems import Problem, Violation
from python.protocol import pointer

__all__ = ["refuse_half_characters"]

_WRITTEN = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]|\x00")  # or as Python reads bytes, or in UTF-16
_HALF = re.compile("[\ud800-\udfff]")


def refuse_half_characters(body: bytes) -> None:
    """Raise Problem where a text in a JSON body has half a character. A body that is no JSON is left to its reader."""
    if _WRITTEN.search(body) is None:
        return
    try:
        at = _place(json.loads(body))
    except (ValueError, RecursionError):
        return
    if at is not None:
        message = f"{pointer.join(at) or '/'} has half a character (a surrogate without its other half)"
        raise Problem(422, message, violations=[Violation(at=at, message=message, kind="string_unicode")])


def _place(value: Any) -> tuple[str, ...] | None:  # noqa: ANN401 -- JSON
    """Return where the text is, or the object that has it as a name."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while waiting:
        at, each = waiting.pop()
        if isinstance(each, str) and _HALF.search(each):
            return at
        if isinstance(each, dict):
            if any(_HALF.search(name) for name in each):
                return at
            waiting.extend(((*at, name), member) for name, member in each.items())
        elif isinstance(each, list):
            waiting.extend(((*at, str(index)), item) for index, item in enumerate(each))
    return None
