"""Holds a specification file against the grammar, and names everything in it that is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator

from python.runner.grammar import Choice, Items, Leaf, Members, Rule, Section
from python.runner.problems import suggestion
from python.runner.yaml_file import At

__all__ = ["check"]

_SHOWN_CHARACTERS_MAX = 60  # enough to recognise the value in its file


def check(value: object, rule: Rule, at: At = ()) -> Iterator[tuple[At, str]]:
    """Yield the place and a sentence for each way in which `value`, found at `at`, breaks `rule`."""
    if isinstance(rule, Choice):
        yield from _check_choice(value, rule, at)
    elif isinstance(rule, Leaf):
        if not rule.accepts(value):
            yield at, f"{_named(at)} is {_shown(value)}; want {rule.want}"
    elif isinstance(rule, Items):
        yield from _check_items(value, rule, at)
    elif not isinstance(value, dict):
        yield at, f"{_named(at)} is {_shown(value)}; want an object"
    elif isinstance(rule, Members):
        yield from _check_members(value, rule, at)
    else:
        yield from _check_section(value, rule, at)


def _check_choice(value: object, rule: Choice, at: At) -> Iterator[tuple[At, str]]:
    for option in rule.rules:
        if isinstance(value, _TYPES[type(option)]):
            yield from check(value, option, at)
            return
    yield at, f"{_named(at)} is {_shown(value)}; want {rule.want}"


_TYPES: dict[type, type] = {Leaf: str, Items: list, Members: dict, Section: dict}
"""The JSON type that tells an option of a `Choice`: there, every leaf is text."""


def _check_items(value: object, rule: Items, at: At) -> Iterator[tuple[At, str]]:
    if not isinstance(value, list):
        yield at, f"{_named(at)} is {_shown(value)}; want a list"
        return
    if len(value) < rule.least:
        yield at, f"{_named(at)} has {len(value)} items; want {rule.least} or more"
    for index, item in enumerate(value):
        yield from check(item, rule.rule, (*at, index))


def _check_members(value: dict[str, object], rule: Members, at: At) -> Iterator[tuple[At, str]]:
    for name, member in value.items():
        if not rule.names.accepts(name):
            yield (*at, name), f"the key {name!r} of {_named(at)} is not {rule.names.want}"
        yield from check(member, rule.rule, (*at, name))


def _check_section(value: dict[str, object], rule: Section, at: At) -> Iterator[tuple[At, str]]:
    for name, member in value.items():
        if name in rule.members:
            yield from check(member, rule.members[name], (*at, name))
        elif not rule.open:
            known = ", ".join(rule.members)
            hint = suggestion(name, rule.members) or f"; it may have {known}"
            yield (*at, name), f"{_named(at)} has the unknown key {name!r}{hint}"
    for name in rule.required:
        if name not in value:
            yield at, f"{_named(at)} lacks `{name}`, which every {rule.name} has"
    found = [name for name in rule.one_of if name in value]
    if rule.one_of and len(found) != 1:
        yield at, f"{_named(at)} has {' and '.join(found) or 'none'} of {', '.join(rule.one_of)}; want exactly one"


def _named(at: At) -> str:
    """Return the place for people: catalog names have slashes, which a JSON pointer would disfigure."""
    steps = "".join(f"[{token}]" if isinstance(token, int) else f".{token}" for token in at)
    return steps.removeprefix(".") or "the file"


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else text[:_SHOWN_CHARACTERS_MAX] + "…"
