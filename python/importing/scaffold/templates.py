"""The files of a new connector, but for what is found out of it: texts in `templates/`, with names to fill in."""

from __future__ import annotations

import pathlib
import re
import string
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["rendered", "sentence", "wanted", "wrapped"]

_FOLDER = pathlib.Path(__file__).parent / "templates"
_REASON_CHARACTERS_MAX = 300  # what a connector complained of, told in a file that people read
_LINE_CHARACTERS_MAX = 100
_PAGE_CHARACTERS_MAX = 120
_CODE = re.compile(r"`[^`]*`")
_KEPT = "\N{NO-BREAK SPACE}"

Json = Any


def rendered(template: str, values: Mapping[str, str]) -> str:
    """Return the text of `templates/TEMPLATE.txt`, its `${names}` filled in. Every one has to be given."""
    text = (_FOLDER / f"{template}.txt").read_text(encoding="utf-8")
    return string.Template(text).substitute(values)


def wanted(name: str, gaps: Sequence[str], problem: str, *, discovers: bool) -> str:
    """Return the reason, in Python, for which tests of the connector `name` cannot run yet: the constant WANTED."""
    places = f"fill in {', '.join(gaps)} in {name}/test.flow.yaml" if gaps else f"mend {name}/test.flow.yaml"
    told = f"{places} ({problem})" if problem else places
    find = "" if discovers else f"run `headwater raw discover --source {name}/test.flow.yaml`; "
    return _assigned("WANTED", f"{told}; {find}then take this mark away, and run `pytest {name} --snapshot-update`")


def wrapped(text: str) -> str:
    """Return a page whose paragraphs are lines as long as this repository's; headings and tables stay as they are."""
    return "\n\n".join(part if part.startswith(("#", "|")) else _filled(part) for part in text.split("\n\n"))


def sentence(problem: object) -> str:
    """Return what went wrong as one line of text, cut where it is long."""
    told = " ".join(str(problem).split())
    return told if len(told) <= _REASON_CHARACTERS_MAX else told[:_REASON_CHARACTERS_MAX] + "…"


def _filled(paragraph: str) -> str:
    whole = _CODE.sub(lambda code: code[0].replace(" ", _KEPT), paragraph)
    lines = textwrap.wrap(whole, _PAGE_CHARACTERS_MAX, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace(_KEPT, " ") + ("\n" if paragraph.endswith("\n") else "")


def _assigned(name: str, text: str) -> str:
    """Return Python that gives the name `text`, in lines that are short enough."""
    parts, line = [], ""
    for word in text.split(" "):
        if len(repr(line + word)) > _LINE_CHARACTERS_MAX:
            parts.append(line)
            line = ""
        line += f"{word} "
    lines = "".join(f"    {_quoted(part)}\n" for part in [*parts, line.rstrip()])
    return f"{name} = (\n{lines})\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
