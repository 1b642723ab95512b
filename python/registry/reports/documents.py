"""What authors of connectors write, made safe for a page: documentation and icons."""

from __future__ import annotations

import re
from xml.parsers import expat

import markdown_it
import nh3

__all__ = ["ICON_BYTES_MAX", "safe_html", "safe_icon"]

ICON_BYTES_MAX = 512 * 1024  # the largest of Airbyte's icons is a tenth of that

_TAGS = frozenset(
    {"a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1", "h2", "h3"}
    | {"h4", "h5", "h6", "hr", "i", "kbd", "li", "ol", "p", "pre", "s", "span", "strong", "sub", "summary", "sup"}
    | {"table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"}
)
_SVG = "http://www.w3.org/2000/svg"
_ELEMENTS = frozenset(
    {"circle", "clipPath", "defs", "desc", "ellipse", "filter", "g", "image", "line", "linearGradient", "marker"}
    | {"mask", "metadata", "path", "pattern", "polygon", "polyline", "radialGradient", "rect", "stop", "style", "svg"}
    | {"switch", "symbol", "text", "textPath", "title", "tspan", "use", "view"}
)
_THAT_RUN = frozenset({"http://www.w3.org/1999/xhtml", "http://www.w3.org/1998/Math/MathML"})
_OWN_OR_INSIDE = re.compile(r"\s*(?:#|data:image/(?:png|jpe?g|gif|webp)[;,])")
_FROM_ELSEWHERE = re.compile(
    r"@import|\\|url\(\s*['\"]?\s*(?![\s'\"#]|data:image/(?:png|jpe?g|gif|webp)[;,])", re.IGNORECASE
)
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def safe_html(markdown: str) -> str:
    """Return the HTML of a Markdown page: nothing in it runs, and nothing is fetched, so no picture is in it."""
    page = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])
    html = page.render(_FRONT_MATTER.sub("", markdown.replace("\r\n", "\n")))
    return nh3.clean(html, tags=set(_TAGS), url_schemes={"http", "https", "mailto"}, link_rel="noopener noreferrer")


def safe_icon(data: bytes) -> bytes | None:
    """Return an icon that may lie beside the pages; None for what is no SVG, is large, or could run or fetch something.

    A picture that a page shows runs nothing, whatever is in it; but somebody may open the file alone.
    """
    if len(data) > ICON_BYTES_MAX:
        return None
    reader = _IconReader()
    try:
        reader.parser.Parse(data, True)  # noqa: FBT003 -- expat's own: these bytes are all of it
    except (expat.ExpatError, _UnsafeError, ValueError, LookupError):  # the last two of encodings
        return None
    return data if reader.is_svg and not _FROM_ELSEWHERE.search("".join(reader.texts)) else None


class _UnsafeError(Exception):
    """An icon has something that a picture need not have."""


class _IconReader:
    """Reads an icon, and raises _UnsafeError at what is not known to be harmless: entities too, so nothing grows."""

    def __init__(self) -> None:
        self.is_svg = False
        self.texts: list[str] = []  # styles among them, in any pieces
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self._started
        self.parser.CharacterDataHandler = self.texts.append
        self.parser.EntityDeclHandler = self._refused
        self.parser.ProcessingInstructionHandler = self._refused

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, element = name.rpartition(" ")
        if not self.is_svg and element != "svg":
            raise _UnsafeError
        self.is_svg = True
        if namespace not in ("", _SVG, *_THAT_RUN):
            return  # what drawing programs note for themselves: no browser knows it
        if namespace in _THAT_RUN or (element not in _ELEMENTS and element[:2] != "fe"):
            raise _UnsafeError
        for each, value in attributes.items():
            local = each.rpartition(" ")[2].lower()
            is_elsewhere = local in ("href", "src") and not _OWN_OR_INSIDE.match(value)
            if local.startswith("on") or is_elsewhere or _FROM_ELSEWHERE.search(value):
                raise _UnsafeError

    def _refused(self, *_: object) -> None:
        raise _UnsafeError
