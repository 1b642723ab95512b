"""The files of an exported connector that are texts with names to fill in."""

from __future__ import annotations

import pathlib
import string
from collections.abc import Mapping

__all__ = ["rendered"]


def rendered(template: str, values: Mapping[str, str]) -> str:
    """Return the text of `TEMPLATE.txt` in `templates/`, its `${names}` filled in. Every one has to be given."""
    text = (pathlib.Path(__file__).parent / "templates" / f"{template}.txt").read_text(encoding="utf-8")
    return string.Template(text).substitute(values)
