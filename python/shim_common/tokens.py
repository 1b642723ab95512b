"""Tokens that a connector is given while it runs, for the secrets of its config: logs must not show them either."""

from __future__ import annotations

import contextlib
import functools
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from python.shell import logs

__all__ = ["TOKENS_MAX", "Giver", "Masked", "masking"]

TOKENS_MAX = 100
"""How many tokens of one sync are masked. They are good for an hour or so each; a source that logs in for each request
would have every log searched for all that it ever had."""

_LENGTH_MIN = 8  # a shorter text is no token, and stands in many logs that have none
_TOKEN = re.compile(r"(token|jwt|session_?id)$", re.IGNORECASE)


class Giver(NamedTuple):
    """Methods after which an object has tokens, or which return them. Of a library that is not imported, none are."""

    module: str
    kind: str
    methods: tuple[str, ...]


class Masked:
    """Masks tokens in logs, `TOKENS_MAX` of them."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def add(self, tokens: Iterable[str]) -> None:
        """From now on `tokens` are masked."""
        new = {token for token in tokens if len(token) >= _LENGTH_MIN} - self._known
        if new and len(self._known) < TOKENS_MAX:
            self._known |= new
            logs.protect(new)


@contextlib.contextmanager
def masking(givers: Iterable[Giver], masked: Masked) -> Iterator[None]:
    """Within, `masked` is given what the `givers` give: texts of which the name says that they are tokens."""
    found = [(kind, name, method) for giver in givers for kind, name, method in _methods(giver)]
    for kind, name, method in found:
        setattr(kind, name, _watched(method, masked))
    try:
        yield
    finally:
        for kind, name, method in found:
            setattr(kind, name, method)


def _methods(giver: Giver) -> Iterator[tuple[type, str, Callable[..., Any]]]:
    kind = getattr(sys.modules.get(giver.module), giver.kind, None)
    if kind is not None:
        yield from ((kind, name, vars(kind)[name]) for name in giver.methods if name in vars(kind))


def _watched(method: Callable[..., Any], masked: Masked) -> Callable[..., Any]:
    @functools.wraps(method)
    def watched(self: object, *given: Any, **named: Any) -> Any:  # noqa: ANN401 -- it passes on whatever there is
        result = method(self, *given, **named)
        masked.add(_tokens(getattr(self, "__dict__", None)))
        masked.add(_tokens(result))
        return result

    return watched


def _tokens(value: object) -> Iterator[str]:
    for name, item in value.items() if isinstance(value, Mapping) else ():
        if isinstance(item, str) and _TOKEN.search(str(name)):
            yield item
        yield from _tokens(item)
