"""What authors of connectors write, made safe for a page: documentation and icons."""

from __future__ import annotations

import re

import markdown_it
import nh3

__all__ = ["ICON_BYTES_MAX", "safe_html", "safe_icon"]

ICON_BYTES_MAX = 512 * 1024  # the largest of Airbyte's icons is a tenth of that

_TAGS = frozenset(
    {"a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1", "h2", "h3"}
    | {"h4", "h5", "h6", "hr", "i", "kbd", "li", "ol", "p", "pre", "s", "span", "strong", "sub", "summary", "sup"}
    | {"table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"}
)
_SCRIPTS = re.compile(rb"<\s*(?:script|foreignobject|iframe|embed|object)|\son\w+\s*=|javascript:", re.IGNORECASE)
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def safe_html(markdown: str) -> str:
    """Return the HTML of a Markdown page: nothing in it runs, and nothing is fetched, so no picture is in it."""
    page = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])
    html = page.render(_FRONT_MATTER.sub("", markdown.replace("\r\n", "\n")))
    return nh3.clean(html, tags=set(_TAGS), url_schemes={"http", "https", "mailto"}, link_rel="noopener noreferrer")


def safe_icon(data: bytes) -> bytes | None:
    """Return an icon that may lie beside the pages; None for what is no SVG, is large, or could run something."""
    if len(data) > ICON_BYTES_MAX or b"<svg" not in data or _SCRIPTS.search(data):
        return None
    return data
