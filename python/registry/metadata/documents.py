"""A metadata file as plain values that know where they are written: YAML 1.1, as Airbyte reads it, but dates are text.

`write` is the other way: what it makes says the same to readers of YAML 1.2, as those of registries are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, TypeAlias

import msgspec
import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from python.protocol import pointer
from python.registry.metadata.findings import Finding

__all__ = ["DEPTH_MAX", "TEXT_BYTES_MAX", "VALUES_MAX", "Document", "Place", "read", "write"]

TEXT_BYTES_MAX = 1024 * 1024  # Airbyte's largest is below 50 KB
DEPTH_MAX = 50  # the schema's deepest place is the tenth
VALUES_MAX = 10_000  # with aliases written out; Airbyte's largest has below 2,000

At: TypeAlias = tuple[str, ...]

_Loader: TypeAlias = Any  # PyYAML's two classes share no base
_YAML = "tag:yaml.org,2002:"
_TEXT, _MERGE = f"{_YAML}str", f"{_YAML}merge"
_AS_TEXT = {f"{_YAML}timestamp", f"{_YAML}value"}  # JSON has no dates
_CHECKED = {f"{_YAML}int", f"{_YAML}float", f"{_YAML}bool"}
_NUMBER_MAX = 2**63  # of what Rust and Go read as YAML
_KNOWN = {_TEXT, _MERGE, *_AS_TEXT, *_CHECKED, f"{_YAML}null", f"{_YAML}seq", f"{_YAML}map"}

_SHOWN_MAX = 40  # characters of a value
_UNPRINTABLE = yaml.reader.Reader.NON_PRINTABLE
_QUOTED = re.compile(r"[-+]?(\.\d|\d)[\d.]*[eE][-+]?\d+|[-+]?0o[0-7]+|.*[\x85\u2028\u2029].*", re.DOTALL)


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
        return _read(_decoded(data))
    except _Unfit as error:
        return Document(value=None, findings=(error.finding,))


def _read(text: str) -> Document:
    try:
        _bound(text)
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        node = loader.get_single_node()
        walk = _Walk()
        if node is not None:
            walk.into(node, ())
        value = _plain(loader, node, walk) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(each for each in (error.context, error.problem) if each) or "is no YAML"
        raise _Unfit(_finding("yaml", problem, _mended(text, mark), mark)) from None
    except yaml.YAMLError as error:
        sentence = " ".join(str(error).split())
        raise _Unfit(_finding("yaml", sentence, "Quote what is meant as text.")) from None
    if value is None:
        raise _Unfit(_finding("yaml-empty", "the file says nothing", "Write metadataSpecVersion and data."))
    return Document(value=value, places=walk.places, findings=tuple(walk.findings))


def write(value: Any) -> bytes:  # noqa: ANN401 -- JSON
    """Return `value` as YAML that says the same to readers of YAML 1.1 and of 1.2, as Go's and Rust's are."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return text.encode()


def _text(dumper: Any, text: str) -> Node:  # noqa: ANN401 -- PyYAML's own signature
    return dumper.represent_scalar(  # type: ignore[no-any-return]  # same
        _TEXT, text, style='"' if _QUOTED.fullmatch(text) else None
    )


class _Dumper(yaml.SafeDumper):
    """Quotes, besides what YAML 1.1 takes for something else than text, what YAML 1.2 does: 1e3 and 0o7."""

    yaml_representers: ClassVar = {**yaml.SafeDumper.yaml_representers, str: _text}


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
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Unfit(_finding("yaml-utf8", f"is no UTF-8 text: {error}", "Save it as UTF-8.")) from None
    if (found := _UNPRINTABLE.search(text)) is not None:
        before = text[: found.start()]
        sentence = f"the character U+{ord(found[0]):04X} cannot be in YAML"
        finding = _finding("yaml", sentence, "Delete it, or write the text in double quotes with an escape.")
        place = {"line": before.count("\n") + 1, "column": found.start() - before.rfind("\n")}
        raise _Unfit(msgspec.structs.replace(finding, **place))
    return text


def _mended(text: str, mark: yaml.Mark | None) -> str:
    line = text.splitlines()[mark.line] if mark and mark.line < len(text.splitlines()) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "Indent with spaces: tabs are not allowed there."
    return "Mend it there: a colon, a quote or an indent may be missing, or quote what is meant as text."


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
        self.checked: list[tuple[At, ScalarNode]] = []
        self._count = 0

    def into(self, node: Node, at: At) -> None:
        """Visit `node`, whose place in the document is `at`."""
        self._count += 1
        if self._count > VALUES_MAX or len(at) > DEPTH_MAX:
            sentence = f"has more than {VALUES_MAX:,} values or {DEPTH_MAX} levels, with its aliases written out"
            raise _Unfit(_finding("yaml-size", sentence, "Write out what is meant.", node.start_mark, at))
        if node.tag not in _KNOWN:
            sentence = f"the tag {node.tag.replace(_YAML, '!!')} makes what JSON has not"
            raise _Unfit(_finding("yaml-tag", sentence, "Leave the tag out.", node.start_mark, at))
        if node.tag in _CHECKED and isinstance(node, ScalarNode):
            self.checked.append((at, node))
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


def _plain(loader: _Loader, node: Node, walk: _Walk) -> Any:  # noqa: ANN401 -- JSON
    """Return the value of `node`, names as they are written: 1.10 is a version before it is a number."""
    for each in _texts(node, set()):
        each.tag = _TEXT
    reader = yaml.SafeLoader("")
    for at, each in walk.checked:
        if not _is_readable(reader, each):
            shown = each.value if len(each.value) <= _SHOWN_MAX else f"{each.value[:_SHOWN_MAX]}…"
            sentence = f"{shown or 'nothing'} is no value that every reader of YAML and JSON takes"
            raise _Unfit(_finding("yaml", sentence, "Quote what is meant as text.", each.start_mark, at))
    return loader.construct_document(node)


def _is_readable(reader: yaml.SafeLoader, node: ScalarNode) -> bool:
    try:
        value = reader.construct_object(node)
        return math.isfinite(value) and abs(value) < _NUMBER_MAX
    except (ValueError, OverflowError, LookupError):  # the last of a tag that says what the text is not
        return False


def _texts(node: Node, seen: set[int]) -> Iterator[ScalarNode]:
    """Yield what is text, whatever it looks like: names, and days."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, ScalarNode) and node.tag in _AS_TEXT:
        yield node
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.tag != _MERGE:
                yield key
            yield from _texts(value, seen)
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield from _texts(item, seen)
