"""What people read of a connector: its documentation page, its READMEs, its icon."""

from __future__ import annotations

import colorsys
import html
import re
import zlib
from collections.abc import Mapping
from typing import Any

from python.builder.export.facts import Facts, Stream
from python.builder.export.filling import rendered
from python.builder.export.metadata import title_of
from python.builder.export.order import Form, Order
from python.builder.export.revising import Revision
from python.importing import config_pages
from python.importing.scaffold import templates as scaffold

__all__ = ["documentation", "documentation_path", "icon", "readme", "with_row"]

_TABLE = re.compile(r"^\|(?:[^|\n]*\|)*?\s*Version\s*\|.*\n\|[-:| ]+\|\n", re.MULTILINE)
_CHANGELOG = "## Changelog\n\n| Version | Date | Pull Request | Subject |\n| :--- | :--- | :--- | :--- |\n"
_WHAT = (
    "Captures what `manifest.yaml` describes, a declarative manifest as Airbyte's connectors have it. There is no code "
    "but that: `python -m python.shim_airbyte_cdk {name}` runs the folder."
)
_COMMAND = "python -m python.shim_airbyte_cdk {name}"


def documentation_path(name: str) -> str:
    """Return where the documentation page of the connector `name` is, below its folder."""
    return f"docs/{name.removeprefix('source-')}.md"


def documentation(order: Order, facts: Facts, revision: Revision) -> str:
    """Return the documentation page of a connector that has none: its config, its streams, and its changes."""
    title = title_of(order.name)
    parts = [
        f"# {title}\n\n{facts.description or f'Reads data from {title}.'}\n",
        "## Configuration\n\n" + _config(facts.specification),
        "## Streams\n\n" + _streams(facts),
        _CHANGELOG,
    ]
    return with_row("\n".join(parts), revision)


def with_row(text: str, revision: Revision) -> str:
    """Return a documentation page with the row of a version on top of its table of changes."""
    if not revision.new:
        return text
    found = _TABLE.search(text)
    if found is None:
        return with_row(f"{text.rstrip()}\n\n{_CHANGELOG}", revision)
    columns = found[0].splitlines()[0].strip().strip("|").split("|")
    subject = _cell(" ".join(revision.lines))
    named = {"version": revision.tag, "date": revision.date, "subject": subject}
    row = " | ".join(named.get(column.strip().lower(), "") for column in columns)
    return f"{text[: found.end()]}| {row} |\n{text[found.end() :]}"


def _config(specification: Mapping[str, Any]) -> str:
    page = config_pages.with_tables("", {"configSchema": specification})
    rows = [line for line in page.splitlines() if line.startswith("|")]
    return "\n".join([*rows, ""]) if rows else "There is nothing to configure.\n"


def _streams(facts: Facts) -> str:
    rows = ["| Stream | Primary key | Pagination | Incremental |", "| :--- | :--- | :--- | :--- |"]
    rows += [f"| {' | '.join(map(_cell, _row(stream)))} |" for stream in facts.streams]
    return "\n".join([*rows, ""]) if facts.streams else "There are no streams.\n"


def _row(stream: Stream) -> tuple[str, ...]:
    key = ", ".join(".".join(path) for path in stream.key) or "none"
    told = f"{stream.name} (streams made of a template)" if stream.is_template else stream.name
    when = f", if {stream.condition.strip('{} ')}" if stream.condition else ""
    return told + when, key, stream.pagination or "none", f"by {stream.cursor}" if stream.cursor else "no"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def readme(order: Order, facts: Facts, resource: Mapping[str, Any] | None) -> str:
    """Return the README of a connector that has none; `resource` is the schema of its resource config, if known."""
    if order.form is not Form.HEADWATER:
        return scaffold.wrapped(
            rendered(f"README_{order.form.value}.md", {"name": order.name, "module": _module(order)})
        )
    values = {
        "name": order.name,
        "what": _WHAT.format(name=order.name),
        "by_hand": _COMMAND.format(name=order.name),
    }
    schemas = {"configSchema": facts.specification, **({"resourceConfigSchema": resource} if resource else {})}
    return config_pages.with_tables(scaffold.wrapped(scaffold.rendered("README_upstream.md", values)), schemas)


def _module(order: Order) -> str:
    return order.name.replace("-", "_")


def icon(name: str) -> str:
    """Return an icon as SVG: the connector's first letters, on a colour of its own."""
    letters = "".join(word[0] for word in title_of(name).split())[:2]
    hue = zlib.crc32(name.encode()) % 360 / 360
    red, green, blue = (round(part * 255) for part in colorsys.hls_to_rgb(hue, 0.35, 0.6))
    return rendered("icon.svg", {"letters": html.escape(letters), "colour": f"#{red:02x}{green:02x}{blue:02x}"})
