"""YAML that is changed and written again: comments, order, quotes and anchors of all that does not change stay."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, ScalarString

from python.builder.manifests.documents import At, is_text

__all__ = ["RoundTrip", "fresh", "rewrite_texts"]

_WIDTH = 4096  # no line that a person wrote is folded
_SEQUENCE = re.compile(r"^( *)(?:- )*[^\s#-][^\n]*:[ ]*\n(?:[ ]*(?:#[^\n]*)?\n)*( *)- ", re.MULTILINE)


class RoundTrip:
    """The YAML document in `text`, which `of_text` has read before. `value` is changed in place."""

    def __init__(self, text: str) -> None:
        self._yaml = YAML(typ="rt")
        self._yaml.preserve_quotes = True
        self._yaml.width = _WIDTH
        self._yaml.allow_duplicate_keys = True
        found = _SEQUENCE.search(text)
        if found is not None and len(found[2]) > len(found[1]):
            self._yaml.indent(mapping=2, sequence=4, offset=2)
        self.value: Any = self._yaml.load(text)

    def text(self) -> str:
        """Return the document as YAML."""
        written = io.StringIO()
        self._yaml.dump(self.value, written)
        return written.getvalue()

    def at(self, at: At) -> Any:  # noqa: ANN401 -- YAML
        """Return what is at `at`."""
        value = self.value
        for name in at:
            value = value[int(name)] if isinstance(value, list) else value[name]
        return value


def fresh(value: Any) -> Any:  # noqa: ANN401 -- JSON
    """Return a plain value as YAML, with quotes around text that the CDK would read as something else."""
    if isinstance(value, CommentedMap | CommentedSeq):  # of the document itself: its comments stay with it
        return value
    if isinstance(value, dict):
        return CommentedMap((fresh(str(name)), fresh(member)) for name, member in value.items())
    if isinstance(value, list):
        return CommentedSeq(fresh(item) for item in value)
    if isinstance(value, str) and not isinstance(value, ScalarString) and not is_text(value):
        return DoubleQuotedScalarString(value)
    return value


def rewrite_texts(round_trip: RoundTrip, places: Iterable[At], rewrite: Callable[[str], str]) -> list[At]:
    """Rewrite the texts at `places`, each in the quotes that it has. Return the places of those that changed."""
    changed: list[At] = []
    for at in places:
        around, name = round_trip.at(at[:-1]), at[-1]
        key: Any = int(name) if isinstance(around, list) else name
        before = around[key]
        after = rewrite(str(before))
        if after != before:
            around[key] = type(before)(after) if isinstance(before, ScalarString) else fresh(after)
            changed.append(at)
    return changed
