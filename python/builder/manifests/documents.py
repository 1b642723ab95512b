"""YAML text as plain values that remember where each of them is written; bombs are refused while they are read.

YAML is read as airbyte-cdk reads manifests, by version 1.1: `on` is true, 2024-01-01 is a date. An alias is the same
value once more, never a copy; how large the document would be without aliases is counted, and bounded.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import msgspec
import yaml
from yaml import events
from yaml.nodes import ScalarNode

from python.protocol import pointer
from python.protocol.errors import HeadwaterError

__all__ = [
    "DEPTH_MAX",
    "TEXT_BYTES_MAX",
    "VALUES_MAX",
    "At",
    "Document",
    "DocumentError",
    "Place",
    "is_text",
    "of_text",
    "of_value",
]

TEXT_BYTES_MAX = 8 * 1024 * 1024  # far above any manifest written by people, small enough to read in seconds
VALUES_MAX = 500_000  # with aliases written out: what a text of that size can hold without them
DEPTH_MAX = 100  # deeper than components nest, far below Python's own limit of calls

At: TypeAlias = tuple[str, ...]
"""The place of a value in its document: names of members and numbers of items, as text."""


_Mark: TypeAlias = Any  # PyYAML's own, of one of two classes that share no base


class Place(NamedTuple):
    """Where in a text: both count from 1."""

    line: int
    column: int


class DocumentError(HeadwaterError):
    """A text is no document that can be worked on. Its author must act. `rule` says why in one word."""

    def __init__(self, reason: str, place: Place | None = None, *, rule: str = "yaml") -> None:
        super().__init__(f"line {place.line}, column {place.column}: {reason}" if place else reason)
        self.reason = reason
        self.place = place
        self.rule = rule


class _Span(NamedTuple):
    """Where a member or item is written: its name (an item: its value), and from where to where its value goes."""

    name: _Mark
    start: _Mark
    end: _Mark


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A `value` of plain types; `spans` tell by the identity of a container where its members are written.

    `twice` are names that stand twice in one object, with the place of the first: the CDK takes the last.
    """

    value: Any
    text: str = ""
    spans: Mapping[int, Mapping[str, _Span]] = {}
    twice: tuple[tuple[At, Place], ...] = ()

    def place(self, at: Iterable[str], needle: str = "") -> Place | None:
        """Return where the member or item at `at` is written, or the nearest around it; None without text.

        With `needle`, the place of this text within the value, where it stands there.
        """
        span = self._span(at)
        if span is None:
            return Place(1, 1) if self.text else None
        word = re.compile(rf"(?<!\w){re.escape(needle)}(?!\w)").search(self.text, span.start.index, span.end.index)
        if not needle or word is None:
            return _place(span.name)
        before = self.text[span.start.index : word.start()]
        line_start = before.rfind("\n")
        line = span.start.line + before.count("\n") + 1
        return Place(line, span.start.column + len(before) + 1 if line_start < 0 else len(before) - line_start)

    def _span(self, at: Iterable[str]) -> _Span | None:
        value, span = self.value, None
        for name in at:
            found = self.spans.get(id(value), {}).get(name)
            if found is None:
                return span
            span = found
            value = value[int(name)] if isinstance(value, list) else value[name]
        return span


def of_value(value: object) -> Document:
    """Return the document of a decoded value, without places. Raises DocumentError where it is too deep or large."""
    _measure(value)
    return Document(value=value)


def of_text(text: str) -> Document:
    """Return the document in YAML (or JSON) `text`. Raises DocumentError for what is no YAML, and for bombs."""
    if len(text) > TEXT_BYTES_MAX:
        raise DocumentError(f"the text has {len(text):,} characters, want at most {TEXT_BYTES_MAX:,}", rule="size")
    reader = _Reader()
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DocumentError(error.problem or error.context or "is no YAML", _place(mark) if mark else None) from None
    except yaml.YAMLError as error:
        raise DocumentError(" ".join(str(error).split())) from None
    return Document(value=reader.root, text=text, spans=reader.spans, twice=tuple(reader.twice))


class _Open:
    """A container whose members are being read."""

    def __init__(self, start: _Mark, value: Any, anchor: str | None, at: At) -> None:  # noqa: ANN401 -- JSON
        self.start = start
        self.value = value
        self.anchor = anchor
        self.at = at
        self.size = 1
        self.name: tuple[str, _Mark] | None = None  # of an object: the name whose value comes next
        self.merged: dict[str, tuple[Any, _Span]] = {}


class _Reader:
    """Builds values of events, without recursion, so that no nesting reaches a limit but ours."""

    def __init__(self) -> None:
        self.root: Any = None
        self.spans: dict[int, dict[str, _Span]] = {}
        self.twice: list[tuple[At, Place]] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._documents = 0

    def take(self, event: events.Event) -> None:
        """Go on with the next event of the text."""
        if isinstance(event, events.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, events.CollectionStartEvent):
            self._begin(event, {} if isinstance(event, events.MappingStartEvent) else [])
        elif isinstance(event, events.CollectionEndEvent):
            done = self._open.pop()
            if done.merged:
                self._merge(done)
            self._add(done.value, done.size, (done.start, event.end_mark), done.anchor)
        elif isinstance(event, events.AliasEvent):
            if event.anchor not in self._anchors:
                reason = f"*{event.anchor} stands for itself, or for nothing: want an anchor &{event.anchor} before it"
                raise DocumentError(reason, _place(event.start_mark), rule="alias")
            value, size = self._anchors[event.anchor]
            self._add(value, size, (event.start_mark, event.end_mark), None)
        elif isinstance(event, events.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise DocumentError("a second document begins; want one alone", _place(event.start_mark))

    def _scalar(self, event: events.ScalarEvent) -> None:
        within = self._open[-1] if self._open else None
        if within is not None and within.name is None and isinstance(within.value, dict):
            text = event.value if event.value == "<<" and event.implicit[0] else str(_scalar(event))
            self._name(within, text, event.start_mark)
        else:
            self._add(_scalar(event), 1, (event.start_mark, event.end_mark), event.anchor)

    def _name(self, within: _Open, text: str, mark: _Mark) -> None:
        if text in within.value:
            self.twice.append(((*within.at, text), _place(self.spans[id(within.value)][text].name)))
        within.name = (text, mark)

    def _begin(self, event: events.CollectionStartEvent, value: Any) -> None:  # noqa: ANN401 -- JSON
        if len(self._open) >= DEPTH_MAX:
            raise DocumentError(f"is nested deeper than {DEPTH_MAX} levels", _place(event.start_mark), rule="depth")
        at: At = ()
        if self._open:
            outer = self._open[-1]
            if isinstance(outer.value, dict) and outer.name is None:
                raise DocumentError("a list or an object as a name; names are text", _place(event.start_mark))
            at = (*outer.at, outer.name[0] if outer.name else str(len(outer.value)))
        self._open.append(_Open(event.start_mark, value, event.anchor, at))
        self.spans[id(value)] = {}

    def _add(self, value: object, size: int, marks: tuple[_Mark, _Mark], anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = (value, size)
        if not self._open:
            self.root = value
            return
        within = self._open[-1]
        within.size += size
        if within.size > VALUES_MAX:
            reason = f"has more than {VALUES_MAX:,} values, with its aliases written out"
            raise DocumentError(reason, _place(marks[0]), rule="size")
        if isinstance(within.value, list):
            self.spans[id(within.value)][str(len(within.value))] = _Span(marks[0], *marks)
            within.value.append(value)
            return
        assert within.name is not None  # noqa: S101 -- `_scalar` and `_begin` see to it
        (name, mark), within.name = within.name, None
        if name == "<<":
            self._inherit(within, value, marks[0])
            return
        self.spans[id(within.value)][name] = _Span(mark, *marks)
        within.value[name] = value

    def _inherit(self, within: _Open, value: Any, mark: _Mark) -> None:  # noqa: ANN401 -- JSON
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, dict):
                raise DocumentError("`<<` merges objects, and this is none", _place(mark))
            for name, member in source.items():
                within.merged.setdefault(name, (member, self.spans[id(source)][name]))

    def _merge(self, done: _Open) -> None:
        own = dict(done.value)
        done.value.clear()  # the container stays the same: its spans are known by its identity
        for name, (member, span) in done.merged.items():
            done.value[name] = member
            self.spans[id(done.value)].setdefault(name, span)
        done.value.update(own)


def is_text(plain: str) -> bool:
    """Whether `plain`, written without quotes, is read as text by the CDK's YAML."""
    return str(_loader().resolve(ScalarNode, plain, (True, False))) == "tag:yaml.org,2002:str"  # type: ignore[no-untyped-call] # PyYAML's


@functools.cache
def _loader() -> yaml.SafeLoader:
    return yaml.SafeLoader("")


def _scalar(event: events.ScalarEvent) -> Any:  # noqa: ANN401 -- a scalar of YAML
    tag = event.tag
    if tag is None:
        if not event.implicit[0]:
            return event.value
        tag = _loader().resolve(ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call] # PyYAML's
    if tag in ("!", "tag:yaml.org,2002:str"):
        return event.value
    try:
        return _loader().construct_object(ScalarNode(tag, event.value))
    except (yaml.YAMLError, ValueError) as error:
        problem = getattr(error, "problem", None) or error
        raise DocumentError(f"{event.value!r} is no value: {problem}", _place(event.start_mark)) from None


def _place(mark: _Mark) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _measure(value: object) -> None:
    """Raise DocumentError where `value` is deeper or larger than a document may be."""
    count = 0
    waiting: list[tuple[At, object]] = [((), value)]
    while waiting:
        at, each = waiting.pop()
        count += 1
        if count > VALUES_MAX:
            raise DocumentError(f"has more than {VALUES_MAX:,} values", rule="size")
        if len(at) > DEPTH_MAX:
            raise DocumentError(f"{pointer.join(at)[:80]}… is nested deeper than {DEPTH_MAX} levels", rule="depth")
        if isinstance(each, dict):
            waiting.extend(((*at, str(name)), member) for name, member in each.items())
        elif isinstance(each, list):
            waiting.extend(((*at, str(index)), item) for index, item in enumerate(each))
