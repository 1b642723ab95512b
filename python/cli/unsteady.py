"""What of a capture is never the same: found by capturing once more, and then not kept in snapshots."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from python.acceptance.snapshots import Question, changes, take
from python.protocol import document
from python.runner.catalog import CaptureTask
from python.runner.drive import Launch

__all__ = ["names_of_changes", "redact"]

_TABLE = """
[tool.headwater.snapshot]
redact = [{names}] # these differ from run to run
"""

Json = Any


def redact(folder: pathlib.Path, launch: Callable[[CaptureTask], Launch]) -> None:
    """The pyproject.toml of the connector in `folder` names the fields whose values are other than those that are kept.

    The connector, which `launch` starts, is captured from once more for that.
    """
    question = Question(folder=folder, kinds=("capture", "state"), launch=launch)
    found: set[str] = set()
    for change in changes(question, take(question)):
        kept, now = (document.decode((text or "null").encode()) for text in (change.kept, change.now))
        found.update(names_of_changes(kept, now))
    names = ", ".join(json.dumps(name) for name in sorted(found - {""}))
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(_TABLE.format(names=names))


def names_of_changes(old: Json, new: Json, name: str = "") -> Iterator[str]:
    """Yield the names of the members at which two values differ, the innermost ones.

    >>> sorted(set(names_of_changes([{"a": 1, "b": {"c": 2}}], [{"a": 1, "b": {"c": 3}}])))
    ['c']
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for member in old.keys() | new.keys():
            yield from names_of_changes(old.get(member), new.get(member), member)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for left, right in zip(old, new, strict=True):
            yield from names_of_changes(left, right, name)
    elif old != new:
        yield name
