"""A registry as web pages that need no server and no network: a list to search in, and a page for each connector."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jinja2
import msgspec

from python.registry.generation.listing import ICON, METADATA
from python.registry.generation.plans import INPUTS, Inputs
from python.registry.generation.snapshots import current, read
from python.registry.reports.documents import safe_html, safe_icon
from python.registry.reports.histories import releases
from python.registry.reports.report import Report, Row, entries, report
from python.registry.reports.texts import as_json, change_sentence
from python.registry.service.layout import found
from python.registry.store import Store

__all__ = ["page_name", "pages"]

_ODD = re.compile(r"[^a-zA-Z0-9._/-]")
_NAME_LENGTH_MAX = 180  # a disk's names have 255 bytes; an ending and a sum fit as well


def pages(store: Store) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the web page of what is published in `store`, by path; `index.html` comes last.

    Raises SnapshotError where nothing is published, or where it is broken.
    """
    told = report(store)
    seen = current(store)
    assert seen is not None  # noqa: S101 -- `report` has found it
    inputs = msgspec.json.decode(read(store, seen.manifest, INPUTS), type=Inputs)
    raws = dict(entries(store, seen, inputs))
    files = _times(store)
    shared = _Shared(told)
    icons = set[str]()
    for row in told.rows:
        uploaded = files.get(row.repository, {})
        icon = _icon(store, row, uploaded)
        if icon:
            icons.add(row.repository)
            yield f"icons/{page_name(row.repository)}.svg", icon
        entry = msgspec.json.decode(raws[row.repository]) if row.repository in raws else {}
        facts = {"entry": entry, "has_icon": bool(icon), "fields": list(_fields(entry)), "doc": _doc(store, row)}
        history = list(releases(store, row.repository, uploaded))
        yield (
            f"connectors/{page_name(row.repository)}.html",
            shared.page("connector.html", row=row, releases=history, **facts),
        )
    yield "registry.json", as_json(told)
    yield "data.js", _data(told, icons)
    yield "style.css", shared.source("style.css")
    yield "index.js", shared.source("index.js")
    yield "index.html", shared.page("index.html", changes=[change_sentence(change) for change in told.changes])


def page_name(repository: str) -> str:
    """Return what the page of a connector is called, without its ending, on any disk and in any address.

    No two connectors have the same: a slash is one tilde, which no name of an image has. Names of folders that are no
    images' have other marks, which are written by their numbers, and any length.

    >>> page_name("airbyte/source-faker"), page_name("a/b c#")
    ('airbyte~source-faker', 'a~b~-20~-c~-23~-')
    """
    name = _ODD.sub(lambda found: f"~-{ord(found[0]):x}~-", repository).replace("/", "~")
    if len(name) <= _NAME_LENGTH_MAX:
        return name
    return f"{name[:_NAME_LENGTH_MAX]}~~{hashlib.sha256(repository.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


class _Shared:
    """The templates, and what all pages have."""

    def __init__(self, told: Report) -> None:
        loader = jinja2.PackageLoader("python.registry.reports")
        self._templates = jinja2.Environment(loader=loader, autoescape=True)
        self._templates.filters["page_name"] = page_name
        self._templates.filters["inline"] = _inline
        self._told = told

    def page(self, template: str, **values: Any) -> bytes:  # noqa: ANN401 -- what the template needs
        return self._templates.get_template(template).render(report=self._told, **values).encode()

    def source(self, name: str) -> bytes:
        assert self._templates.loader is not None  # noqa: S101 -- it has one
        return self._templates.loader.get_source(self._templates, name)[0].encode()


def _inline(sentence: str) -> str:
    """Return a sentence of Markdown as HTML that is safe."""
    html = safe_html(sentence).strip()
    return html.removeprefix("<p>").removesuffix("</p>")


def _times(store: Store) -> dict[str, dict[str, str]]:
    """Return when each file below `metadata/` was written, by repository and path."""
    times: dict[str, dict[str, str]] = {}
    for version in store.list(METADATA):
        repository = version.path[len(METADATA) :].rsplit("/", 2)[0]
        times.setdefault(repository, {})[version.path] = version.updated.isoformat()
    return times


def _icon(store: Store, row: Row, uploaded: Mapping[str, str]) -> bytes | None:
    places = (f"{METADATA}{row.repository}/{folder}/{ICON}" for folder in (row.version, "latest") if folder)
    data = next((found(store, path) for path in places if path in uploaded), None)
    return safe_icon(data) if data else None


def _doc(store: Store, row: Row) -> str:
    data = found(store, f"{METADATA}{row.repository}/{row.version}/doc.md") if row.version else None
    return safe_html(data.decode(errors="replace")) if data else ""


def _fields(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the members of a config, as far as they are told at its first level."""
    spec = entry.get("spec", {}).get("connectionSpecification", {})
    properties, required = spec.get("properties"), spec.get("required")
    for name, schema in properties.items() if isinstance(properties, dict) else ():
        if isinstance(schema, dict):
            yield {
                "name": name,
                "title": schema.get("title", ""),
                "type": _type(schema),
                "required": isinstance(required, list) and name in required,
                "secret": True in (schema.get("airbyte_secret"), schema.get("secret")),  # Airbyte's mark, and Flow's
                "description": str(schema.get("description", "")),
            }


def _type(schema: Mapping[str, Any]) -> str:
    said = schema.get("type") or ("one of several" if "oneOf" in schema or "anyOf" in schema else "")
    return " or ".join(map(str, said)) if isinstance(said, list) else str(said)


def _data(told: Report, icons: set[str]) -> bytes:
    """Return the rows as a script: a page from a file must not fetch."""
    rows = [
        {**msgspec.to_builtins(row), "page": page_name(row.repository), "hasIcon": row.repository in icons}
        for row in told.rows
    ]
    text = msgspec.json.encode(rows).replace(b"</", b"<\\/")
    return b"window.CONNECTORS = %b;\n" % text
