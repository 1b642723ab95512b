"""YAML and JSON files as plain JSON values that remember the line of every key.

YAML is read as Flow reads it: version 1.2, so `no` is text, a date is text, and `007` is text; a number that a float
would change is kept as a Decimal. Aliases and `<<` are expanded. What JSON cannot hold is refused.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from python.protocol import document, pointer
from python.protocol.errors import DocumentError
from python.runner.problems import CatalogError, Where

__all__ = ["At", "SourceFile", "compose", "is_text", "parse_source", "plain_numbers", "read_source"]

At = tuple[str | int, ...]
"""The place of a value in its file: keys of objects and indexes of lists."""

_DEPTH_MAX = 150  # deeper than any specification, shallow enough for Python's own stack, and the end of cyclic aliases


class SourceFile:
    """A file that was read: its `path` as the user would name it, and its `value`, built of plain JSON types."""

    def __init__(self, path: Path, value: object, root: Node | None, text: str) -> None:
        self.path = path
        self.value = value
        self._root = root
        self._text = text

    def where(self, at: Iterable[str | int] = ()) -> Where:
        """Return the place of the key or list item at `at`, or of the nearest one around it that exists."""
        tokens = tuple(at)
        while tokens and tokens not in self._lines:
            tokens = tokens[:-1]
        return Where(self.path, self._lines.get(tokens, 1))

    @cached_property
    def _lines(self) -> Mapping[At, int]:
        lines: dict[At, int] = {}
        if self._root is None:  # JSON is read without places, which are only wanted where something is wrong
            with contextlib.suppress(yaml.YAMLError):
                self._root = compose(self._text)
        if self._root is not None:
            _locate(self._root, (), lines)
        return lines


def read_source(path: Path, wanted_by: Where | None = None) -> SourceFile:
    """Return the YAML or JSON file at `path`. `wanted_by` is the place that names it, for the error if it is missing.

    Raises CatalogError.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        sentence = f"{path} cannot be read ({reason}); paths are relative to the file that names them"
        raise CatalogError.at(wanted_by or Where(path), sentence) from None
    except UnicodeDecodeError as error:
        raise CatalogError.at(Where(path), f"is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    return parse_source(path, text)


class _Composer(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # the fast one, where it was built
    """Makes nodes of text, and leaves it to `_scalar` what a plain scalar is: PyYAML still thinks in YAML 1.1."""

    def resolve(self, kind: type[Node], value: object, implicit: object) -> str:
        """Return the tag of a node that has none of its own."""
        del value
        plain = kind is ScalarNode and isinstance(implicit, tuple) and implicit[0]
        return _PLAIN_TAG if plain else _CORE_TAG + "str"


def compose(text: str) -> Node | None:
    """Return the root node of YAML or JSON `text`, or None where it is empty. Raises yaml.YAMLError."""
    root: Node | None = yaml.compose(text.replace("\t", " ") if text.lstrip()[:1] in {"{", "["} else text, _Composer)
    return root


def parse_source(path: Path, text: str) -> SourceFile:
    """Return the file at `path` as if it held `text`. Raises CatalogError."""
    if path.suffix == ".json":
        with contextlib.suppress(DocumentError):  # a broken one is read again as YAML, whose errors name the line
            return SourceFile(path, plain_numbers(document.decode(text.encode())), None, text)
    return _read_yaml(path, text)


def _read_yaml(path: Path, text: str) -> SourceFile:
    try:
        root = compose(text)
        value = None if root is None else _value(path, root, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        detail = ", ".join(part for part in (error.context, error.problem) if part)
        raise CatalogError.at(Where(path, line), f"is not YAML: {detail}") from None
    except yaml.YAMLError as error:
        raise CatalogError.at(Where(path), f"is not YAML: {' '.join(str(error).split())}") from None
    return SourceFile(path, value, root, text)


def _locate(node: Node, at: At, lines: dict[At, int]) -> None:
    """Note the line of every member and item below `node`."""
    if len(at) > _DEPTH_MAX:
        return
    if isinstance(node, MappingNode):
        for key, child in node.value:
            name = (*at, key.value) if isinstance(key, ScalarNode) else at
            lines.setdefault(name, key.start_mark.line + 1)
            _locate(child, name, lines)
    elif isinstance(node, SequenceNode):
        for index, child in enumerate(node.value):
            lines.setdefault((*at, index), child.start_mark.line + 1)
            _locate(child, (*at, index), lines)


def _value(path: Path, node: Node, at: At) -> object:
    here = Where(path, node.start_mark.line + 1)
    if len(at) > _DEPTH_MAX:
        raise CatalogError.at(here, f"is nested deeper than {_DEPTH_MAX} levels, or an alias contains itself")
    if isinstance(node, MappingNode):
        return _mapping(path, node, at)
    if isinstance(node, SequenceNode):
        return [_value(path, item, (*at, index)) for index, item in enumerate(node.value)]
    if node.tag in _RESOLVED_TAGS:
        return _scalar(str(node.value), here)
    if node.tag != _CORE_TAG + "str":
        raise CatalogError.at(here, f"{pointer.join(at) or '/'} has the tag {node.tag}, which is not JSON; remove it")
    return str(node.value)


def _mapping(path: Path, node: MappingNode, at: At) -> dict[str, object]:
    value: dict[str, object] = {}
    inherited: dict[str, object] = {}
    for key, child in node.value:
        here = Where(path, key.start_mark.line + 1)
        if not isinstance(key, ScalarNode):
            raise CatalogError.at(here, "has a list or an object as a key; keys are text")
        if key.value == "<<" and key.tag == _PLAIN_TAG:
            inherited = {**_merged(path, child, at), **inherited}
        elif key.value in value:
            raise CatalogError.at(here, f"the key {key.value!r} comes twice in one object; keep one of them")
        else:
            value[key.value] = _value(path, child, (*at, key.value))
    return {**inherited, **value} if inherited else value


def _merged(path: Path, node: Node, at: At) -> dict[str, object]:
    """Return the members that `<<` brings: those of one object, or of a list of them, the first winning."""
    value = _value(path, node, (*at, "<<"))
    merged: dict[str, object] = {}
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            raise CatalogError.at(Where(path, node.start_mark.line + 1), "`<<` merges objects, but got something else")
        merged = {**item, **merged}
    return merged


_CORE_TAG = "tag:yaml.org,2002:"
_PLAIN_TAG = "plain"
_RESOLVED_TAGS = {_PLAIN_TAG, *(_CORE_TAG + name for name in ("null", "bool", "int", "float"))}
_WORDS: Mapping[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def _scalar(text: str, here: Where) -> object:
    """Return the JSON value of a plain scalar, by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, base=0)
    if _FLOAT.fullmatch(text):
        return _number(Decimal(text))
    if _NOT_FINITE.fullmatch(text):
        raise CatalogError.at(here, f"{text} is not a JSON number; quote it if it is meant as text")
    return text


def is_text(plain: str) -> bool:
    """Whether `plain`, written without quotes, is read as text."""
    try:
        return isinstance(_scalar(plain, Where(Path())), str)
    except CatalogError:
        return False


def _number(exact: Decimal) -> float | Decimal:
    """Return a float where it stands for the same number, else the Decimal."""
    rounded = float(exact)
    return rounded if rounded - rounded == 0 and Decimal(repr(rounded)) == exact else exact


def plain_numbers(value: object) -> object:
    """Return decoded JSON with its Decimals turned into floats, where these stand for the same numbers."""
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, dict):
        return {key: plain_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain_numbers(item) for item in value]
    return value
