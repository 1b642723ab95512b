"""Interpolations rewritten in place: every character that is not meant to change stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jinja2

__all__ = ["Flatten", "flattened", "renamed"]

Flatten: TypeAlias = Callable[[tuple[str, ...]], tuple[int, str] | None]
"""Tells of a way into the config how many of its names one name takes the place of, and that name; None for none."""


class _Token(NamedTuple):
    kind: str
    text: str


class _Step(NamedTuple):
    """A step of a way: its name, the index of the token after it, and of `.get` what else it is given."""

    key: str
    end: int
    default: str | None
    quote: str


def flattened(text: str, flatten: Flatten) -> str:
    """Return `text` with each way into the config that `flatten` knows written as one name: `config['a_b']`."""
    tokens = _tokens(text)
    written: list[str] = []
    index = 0
    while index < len(tokens):
        steps = _steps(tokens, index) if _is_variable(tokens, index, "config") else []
        taken = flatten(tuple(step.key for step in steps)) if steps else None
        if taken is None:
            written.append(tokens[index].text)
            index += 1
            continue
        count, name = taken
        written.append(_access(name, steps[:count]))
        index = steps[count - 1].end
    return "".join(written)


def renamed(text: str, old: str, new: str) -> str:
    """Return `text` with the variable `old` of its interpolations called `new`."""
    tokens = _tokens(text)
    return "".join(new if _is_variable(tokens, index, old) else token.text for index, token in enumerate(tokens))


def _tokens(text: str) -> list[_Token]:
    """Return the tokens of a template; joined they are the text again. One token where it is no template."""
    environment = jinja2.Environment(autoescape=False, keep_trailing_newline=True)  # noqa: S701 -- nothing is rendered
    try:
        tokens = [_Token(kind, value) for _, kind, value in environment.lex(text)]
    except jinja2.TemplateSyntaxError:
        return [_Token("data", text)]
    is_whole = "".join(token.text for token in tokens) == text  # it is not where whitespace control takes some away
    return tokens if is_whole else [_Token("data", text)]


def _is_variable(tokens: list[_Token], index: int, name: str) -> bool:
    if tokens[index] != ("name", name):
        return False
    before = next((token for token in reversed(tokens[:index]) if token.kind != "whitespace"), None)
    return before != ("operator", ".")


def _access(name: str, steps: list[_Step]) -> str:
    quote = next((step.quote for step in steps if step.quote), "'")
    if all(step.default is None for step in steps):
        return f"config[{quote}{name}{quote}]"
    return f"config.get({quote}{name}{quote}{steps[-1].default or ''})"


def _steps(tokens: list[_Token], index: int) -> list[_Step]:
    """Return the steps that follow the variable at `index`, up to the first that is computed or calls a method."""
    steps: list[_Step] = []
    end = index + 1
    while True:
        step = _member(tokens, end) or _item(tokens, end)
        if step is None:
            return steps
        steps.append(step)
        end = step.end


def _member(tokens: list[_Token], index: int) -> _Step | None:
    """Return the step `.name`, or `.get('name')`."""
    if not _reads(tokens, index, (".", "name")):
        return None
    name = tokens[index + 1].text
    if not _reads(tokens, index + 2, ("(",)):
        return _Step(name, index + 2, None, "")
    if name != "get" or not _reads(tokens, index + 3, ("string",)):
        return None
    depth, end = 1, index + 4
    while end < len(tokens) and depth:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(tokens[end].text, 0)
        end += 1
    key = tokens[index + 3].text
    default = "".join(token.text for token in tokens[index + 4 : end - 1])
    return _Step(key[1:-1], end, default, key[0])


def _item(tokens: list[_Token], index: int) -> _Step | None:
    """Return the step `['name']`."""
    if not _reads(tokens, index, ("[", "string", "]")):
        return None
    key = tokens[index + 1].text
    return _Step(key[1:-1], index + 3, None, key[0])


def _reads(tokens: list[_Token], index: int, wanted: tuple[str, ...]) -> bool:
    found = tokens[index : index + len(wanted)]
    return len(found) == len(wanted) and all(want in token for want, token in zip(wanted, found, strict=True))
