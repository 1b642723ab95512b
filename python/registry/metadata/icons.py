"""Whether an icon is a picture and nothing else: a bucket hands it out as it is, and an SVG may hold scripts."""

from __future__ import annotations

from collections.abc import Mapping
from xml.parsers import expat

__all__ = ["ICON_BYTES_MAX", "problem_of"]

ICON_BYTES_MAX = 512 * 1024  # the largest of Airbyte's icons is a tenth of that

_RUNNING = {"script", "foreignobject", "iframe", "embed", "object", "handler", "listener"}


class _Unsafe(Exception):  # noqa: N818 -- never leaves this module
    pass


def problem_of(data: bytes) -> str | None:
    """Return what keeps `data` from being an icon: it is no SVG, is large, or holds what could run; None if nothing."""
    if len(data) > ICON_BYTES_MAX:
        return f"has {len(data):,} bytes, want at most {ICON_BYTES_MAX:,}"
    names: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: names.append(_looked_at(name, attributes))
    parser.ProcessingInstructionHandler = _refuse_instruction
    try:
        parser.Parse(data, True)  # noqa: FBT003 -- expat's own
    except _Unsafe as error:
        return f"holds {error} on line {parser.CurrentLineNumber}, which could run in a browser"
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last two of encodings
        return f"is no SVG: {error}"
    return None if names[0] == "svg" else f"is no SVG: it begins with <{names[0]}>"


def _looked_at(name: str, attributes: Mapping[str, str]) -> str:
    """Return the name of an element without its namespace. Raises _Unsafe where it, or an attribute, could run."""
    local = name.rpartition(":")[2].lower()
    if local in _RUNNING:
        raise _Unsafe(f"<{name}>")
    for each, value in attributes.items():
        meant = "".join(value.split()).lower()
        if each.lower().startswith("on") or "javascript:" in meant or meant.startswith("data:text"):
            raise _Unsafe(f"the attribute {each}")
        if local in ("set", "animate") and each == "attributeName" and meant.rpartition(":")[2].startswith("on"):
            raise _Unsafe(f"<{name}> of {value}")
    return local


def _refuse_instruction(target: str, _: str) -> None:
    raise _Unsafe(f"<?{target}?>")
