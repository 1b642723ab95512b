"""A metadata file as plain values that know where they are written: YAML 1.1, as Airbyte reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import msgspec
import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from python.protocol import pointer
from python.registry.metadata.findings import Finding

__all__ = ["DEPTH_MAX", "TEXT_BYTES_MAX", "VALUES_MAX", "Document", "Place", "read"]

TEXT_BYTES_MAX = 1024 * 1024  # Airbyte's largest is below 50 KB
DEPTH_MAX = 50  # the schema's deepest place is the tenth
VALUES_MAX = 50_000  # with aliases written out

At: TypeAlias = tuple[str, ...]

_Loader: TypeAlias = Any  # PyYAML's two classes share no base
_MERGE = "tag:yaml.org,2002:merge"


class Place(NamedTuple):
    """Where in a text: both count from 1. `length` is that of the name written there, 0 for an item of a list."""

    line: int
    column: int
    length: int = 0


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A `value` of plain types, None where the text is none; `places` are of its values, by pointer."""

    value: Any
    places: Mapping[At, Place] = {}
    findings: tuple[Finding, ...] = ()

    def place(self, at: At) -> Place:
        """Return where the value at `at` is written, or the nearest around it that is."""
        while at and at not in self.places:
            at = at[:-1]
        return self.places.get(at, Place(1, 1))


def read(data: bytes) -> Document:
    """Return what `data` says; where it is no YAML that can be worked on, `value` is None and the findings say why."""
    try:
        text = _decoded(data)
        _bound(text)
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        node = loader.get_single_node()
        if node is None:
            return Document(value=None, findings=(_finding("yaml-empty", "the file says nothing", "Write it."),))
        walk = _Walk()
        walk.into(node, ())
        return Document(value=_plain(loader, node), places=walk.places, findings=tuple(walk.findings))
    except _Unfit as error:
        return Document(value=None, findings=(error.finding,))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "is no YAML"
        return Document(value=None, findings=(_finding("yaml", problem, "Write YAML.", mark),))
    except (yaml.YAMLError, ValueError) as error:  # a date of a thirteenth month is a ValueError
        sentence = " ".join(str(error).split())
        return Document(value=None, findings=(_finding("yaml", sentence, "Quote what is meant as text."),))


class _Unfit(Exception):  # noqa: N818 -- never leaves this module
    def __init__(self, finding: Finding) -> None:
        self.finding = finding


def _finding(rule: str, message: str, fix: str, mark: Any = None, at: At = ()) -> Finding:  # noqa: ANN401 -- PyYAML's
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Finding(rule=rule, pointer=pointer.join(at), message=message, fix=fix, line=line, column=column)


def _decoded(data: bytes) -> str:
    if len(data) > TEXT_BYTES_MAX:
        sentence = f"the file has {len(data):,} bytes, want at most {TEXT_BYTES_MAX:,}"
        raise _Unfit(_finding("yaml-size", sentence, "Shorten it."))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Unfit(_finding("yaml-utf8", f"is no UTF-8 text: {error}", "Save it as UTF-8.")) from None


def _bound(text: str) -> None:
    """Refuse what is nested too deeply, before anything reads it by recursion."""
    depth = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            mark = event.start_mark
            raise _Unfit(_finding("yaml-depth", f"is nested deeper than {DEPTH_MAX} levels", "Flatten it.", mark))


class _Walk:
    """Visits each node, an alias as often as it stands, to know the places and to find what PyYAML is silent on."""

    def __init__(self) -> None:
        self.places: dict[At, Place] = {}
        self.findings: list[Finding] = []
        self._count = 0

    def into(self, node: Node, at: At) -> None:
        """Visit `node`, whose place in the document is `at`."""
        self._count += 1
        if self._count > VALUES_MAX or len(at) > DEPTH_MAX:
            sentence = f"has more than {VALUES_MAX:,} values or {DEPTH_MAX} levels, with its aliases written out"
            raise _Unfit(_finding("yaml-size", sentence, "Write out what is meant.", node.start_mark, at))
        if isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                self._child(at, str(index), item, item, 0)
        elif isinstance(node, MappingNode):
            for key, value in node.value:
                self._member(at, key, value)

    def _member(self, at: At, key: Node, value: Node) -> None:
        if not isinstance(key, ScalarNode):
            raise _Unfit(_finding("yaml-name", "a list or an object is a name", "Names are text.", key.start_mark, at))
        if (*at, key.value) in self.places:
            first = self.places[(*at, key.value)]
            sentence = f"{key.value} is written twice, first on line {first.line}"
            found = _finding("yaml-twice", sentence, "Keep one of both.", key.start_mark, (*at, key.value))
            self.findings.append(found)
        self._child(at, key.value, key, value, len(key.value))

    def _child(self, at: At, name: str, marked: Node, value: Node, length: int) -> None:
        mark = marked.start_mark
        self.places[(*at, name)] = Place(mark.line + 1, mark.column + 1, length)
        self.into(value, (*at, name))


def _plain(loader: _Loader, node: Node) -> Any:  # noqa: ANN401 -- JSON
    """Return the value of `node`, names as they are written: 1.10 is a version before it is a number."""
    for each in _names(node, set()):
        each.tag = "tag:yaml.org,2002:str"
    return loader.construct_document(node)


def _names(node: Node, seen: set[int]) -> Iterator[ScalarNode]:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.tag != _MERGE:
                yield key
            yield from _names(value, seen)
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield from _names(item, seen)
