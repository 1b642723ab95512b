"""Edits specification files in place: what an edit does not concern keeps every character, comments included.

YAML is spliced as text, at the places that its parser gives, and then read again: an edit that does not read back as
it was meant is refused. JSON is YAML here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from python.protocol import document, pointer
from python.runner.problems import CatalogError, Where
from python.runner.yaml_file import At, compose, is_text, parse_source

__all__ = ["SpecText", "block_text"]

_LINE_CHARACTERS_MAX = 4096  # beyond what people write: no text is folded


class SpecText:
    """The text of the specification at `path`, empty where there is no such file. Nothing here writes it."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self._read: tuple[str, object] = ("", None)

    def value(self, at: At) -> object:
        """Return what the text has at `at`, or `pointer.MISSING`."""
        if self._read[0] != self.text:
            self._read = (self.text, parse_source(self.path, self.text).value)
        return pointer.resolve(self._read[1], [str(token) for token in at])

    def extend(self, at: At, items: Sequence[object]) -> None:
        """The list at `at` ends in `items`. Raises CatalogError where the text does not allow it."""
        node, old = self._node(at), self.value(at)
        longer = [*old, *items] if isinstance(old, list) else list(items)
        wanted = _changed(self.value(()), at, longer)
        if isinstance(node, SequenceNode) and not node.flow_style:
            dashes = "".join(_indented(block_text([item], self._offset()), node.start_mark.column) for item in items)
            self._insert_line(_end(node), dashes)
        elif isinstance(node, SequenceNode) and node.value:
            self._splice(_end(node) - 1, _end(node) - 1, "".join(", " + _json(item) for item in items))
        else:
            self.update(at[:-1], {str(at[-1]): longer})
        self._prove(at, wanted)

    def update(self, at: At, members: Mapping[str, object]) -> None:
        """The object at `at` has `members`, in place of those of the same names or after the others."""
        node, wanted = self._node(at), self.value(())
        for name, value in members.items():
            wanted = _changed(wanted, (*at, name), value)
        present = {key.value: (key, value) for key, value in node.value} if isinstance(node, MappingNode) else {}
        for name in reversed(present):  # from the end, so that places further up stay true
            if name in members:
                self._put(_in_flow(node), *present[name], members[name])
        added = {name: value for name, value in members.items() if name not in present}
        if added:
            self._add(self._node(at), at, added)
        self._prove((*at, *members), wanted)

    def lead(self, name: str, value: object) -> None:
        """The file's object begins with the new member `name`, below the comments at its top."""
        node = self._node(())
        if not isinstance(node, MappingNode) or node.flow_style or not node.value:
            self.update((), {name: value})
            return
        start, wanted = node.value[0][0].start_mark.index, _changed(self.value(()), (name,), value)
        self._splice(start, start, block_text({name: value}, self._offset()))
        self._prove((name,), wanted)

    def _put(self, flow: bool, key: ScalarNode, value: Node, new: object) -> None:  # noqa: FBT001 -- private
        alias = value.start_mark.index < key.end_mark.index
        if flow and not alias:
            self._splice(value.start_mark.index, _end(value), _json(new))
            return
        end = key.end_mark.index if alias else max(_end(value), key.end_mark.index)
        text = _indented(block_text({key.value: new}, self._offset()), key.start_mark.column).lstrip(" ")
        stop = end if self.text[end - 1 : end] == "\n" else self._line_end(end)
        self._splice(key.start_mark.index, stop, text)

    def _add(self, node: Node | None, at: At, members: Mapping[str, object]) -> None:
        if node is None:
            self._insert_line(len(self.text), block_text(members, self._offset()))
        elif not isinstance(node, MappingNode):
            raise CatalogError.at(self._where(node), "is no object, so nothing can be added to it; add it by hand")
        elif not node.flow_style:
            self._insert_line(_end(node), _indented(block_text(members, self._offset()), node.start_mark.column))
        elif node.value:
            pairs = "".join(f", {_json(name)}: {_json(value)}" for name, value in members.items())
            self._splice(_end(node) - 1, _end(node) - 1, pairs)
        elif at and not _in_flow(self._node(at[:-1])):
            self.update(at[:-1], {str(at[-1]): members})
        else:
            self._splice(node.start_mark.index, _end(node), _json(members))

    def _node(self, at: At) -> Node | None:
        """Return the node at `at`, or None in an empty file."""
        node: Node | None = compose(self.text)
        for token in at:
            if isinstance(node, MappingNode):
                node = next((value for key, value in node.value if key.value == token), None)
            elif isinstance(node, SequenceNode) and isinstance(token, int):
                node = node.value[token]
        return node

    def _prove(self, at: At, wanted: object) -> None:
        """After an edit at `at`, the whole text reads as `wanted`; otherwise raises CatalogError."""
        try:
            same = self.value(()) == wanted
        except CatalogError:
            same = False
        if not same:
            place = ".".join(map(str, at))
            sentence = f"{place} is written in a way that cannot be edited here (an alias, perhaps); write it out"
            raise CatalogError.at(Where(self.path), sentence)

    def _offset(self) -> int:
        """Return by how much this file indents the dashes of a list below its key: 2, or 0 where it does so."""
        return 0 if re.search(r"^( *)[^\s#-][^#\n]*:[ ]*\n\1- ", self.text, re.MULTILINE) else 2

    def _insert_line(self, after: int, lines: str) -> None:
        """Insert whole `lines` below the line in which the index `after` lies."""
        at_start = after == 0 or self.text[after - 1] == "\n"
        position = after if at_start else self._line_end(after)
        before = "" if position == 0 or self.text[position - 1] == "\n" else "\n"
        self._splice(position, position, before + lines)

    def _line_end(self, index: int) -> int:
        newline = self.text.find("\n", index)
        return len(self.text) if newline < 0 else newline + 1

    def _splice(self, start: int, stop: int, text: str) -> None:
        self.text = self.text[:start] + text + self.text[stop:]

    def _where(self, node: Node) -> Where:
        return Where(self.path, node.start_mark.line + 1)


def block_text(value: object, offset: int = 2) -> str:
    """Return `value` as lines of YAML, the dashes of lists indented by `offset` below their keys."""
    lines: str = yaml.dump(
        value,
        Dumper=_Dumper if offset else _FlushDumper,
        default_flow_style=False,
        sort_keys=False,
        allow_unicode=True,
        width=_LINE_CHARACTERS_MAX,
    )
    return lines


class _FlushDumper(yaml.SafeDumper):
    """Writes decimals as numbers, and repeats what occurs twice instead of naming it with an anchor."""

    def ignore_aliases(self, data: object) -> bool:
        """Return that nothing is to be an alias: JSON has none."""
        del data
        return True


class _Dumper(_FlushDumper):
    """Indents the dashes of lists below their keys."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002 -- PyYAML's
        """Go one level deeper, for lists as well."""
        del indentless
        super().increase_indent(flow, indentless=False)


def _number_node(dumper: yaml.SafeDumper, value: Decimal) -> yaml.ScalarNode:
    text = re.sub(r"^(-?[0-9]+)e", r"\1.0e", str(value).lower())  # without the fraction, YAML 1.1 takes it for text
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


def _text_node(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    """Quote what YAML 1.2 would not read as text; PyYAML itself quotes what YAML 1.1 would not."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if is_text(value) else "'")


_FlushDumper.add_representer(Decimal, _number_node)
_FlushDumper.add_representer(str, _text_node)


def _changed(value: object, at: At, new: object) -> object:
    """Return a copy of `value` with `new` at `at`, where what leads to it is there."""
    if not at:
        return new
    if isinstance(value, list):
        return [_changed(item, at[1:], new) if index == at[0] else item for index, item in enumerate(value)]
    members = value if isinstance(value, dict) else {}
    return {**members, str(at[0]): _changed(members.get(str(at[0])), at[1:], new)}


def _json(value: object) -> str:
    return document.encode(value).decode()


def _indented(lines: str, columns: int) -> str:
    return "".join(" " * columns + line if line.strip() else line for line in lines.splitlines(keepends=True))


def _in_flow(node: Node | None) -> bool:
    return isinstance(node, (MappingNode, SequenceNode)) and bool(node.flow_style)


def _end(node: Node) -> int:
    """Return the index just after the last character of `node`'s own text: a block's mark is beyond its comments."""
    if isinstance(node, MappingNode) and not node.flow_style and node.value:
        key, value = node.value[-1]
        return max(int(key.end_mark.index), _end(value))
    if isinstance(node, SequenceNode) and not node.flow_style and node.value:
        return _end(node.value[-1])
    if isinstance(node, ScalarNode) and not node.value and not node.style:
        return 0  # the mark of what is not there is at the next token
    return int(node.end_mark.index)
