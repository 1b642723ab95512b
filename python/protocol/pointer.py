"""JSON pointers (RFC 6901), as Flow uses them for keys, resource paths and error locations."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["MISSING", "join", "parse", "resolve"]


class _Missing:
    """The type of `MISSING`."""

    def __repr__(self) -> str:
        return "nothing"


_INDEX = re.compile(r"0|[1-9][0-9]{0,17}")  # no leading zeros (RFC 6901), and no more digits than a list has items

MISSING = _Missing()
"""What `resolve` returns where a document has nothing: `None` is a value, JSON's null."""


def parse(pointer: str) -> tuple[str, ...]:
    """Return the unescaped tokens of `pointer`; the empty pointer is the root and has none.

    Raises ValueError where a non-empty pointer does not start with `/`.

    >>> parse("/a~1b/0")
    ('a/b', '0')
    """
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise ValueError(f"a JSON pointer starts with '/', but got {pointer!r}")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/"))


def join(tokens: Iterable[str | int]) -> str:
    """Return the pointer made of `tokens`, each escaped.

    >>> join(["a/b", 0])
    '/a~1b/0'
    """
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def resolve(document: object, tokens: Iterable[str]) -> object:
    """Return the value at `tokens` (see `parse`) in `document`, or `MISSING`.

    >>> resolve({"a": [10, 20]}, ("a", "1"))
    20
    """
    for token in tokens:
        if isinstance(document, dict):
            document = document.get(token, MISSING)
        elif isinstance(document, list) and _INDEX.fullmatch(token) and int(token) < len(document):
            document = document[int(token)]
        else:
            return MISSING
    return document
