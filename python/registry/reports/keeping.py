"""Reports beside the registry that they tell of: written into a bucket, where people and other programs find them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from python.protocol.errors import HeadwaterError
from python.registry.reports.report import Report
from python.registry.reports.texts import as_json, as_markdown
from python.registry.reports.web import page_name, pages
from python.registry.store import NotFoundError, Store

__all__ = ["PAGES", "REPORTS", "keep_pages", "keep_reports"]

REPORTS = "generated_reports"
"""Where Airbyte's orchestrator keeps its reports, too."""

PAGES = f"{REPORTS}/registry"

_NAME = f"{REPORTS}/connector_registry_report"
_CACHE_CONTROL = "no-cache"  # who looks at a report wants the last one


def keep_reports(store: Store, told: Report) -> list[str]:
    """The report `told` is in the bucket as JSON and Markdown; return the paths."""
    files = {f"{_NAME}.json": as_json(told), f"{_NAME}.md": as_markdown(told).encode()}
    for path, data in files.items():
        store.put(path, data, cache_control=_CACHE_CONTROL)
    return list(files)


def keep_pages(store: Store, target: Store, prefix: str = "") -> int:
    """The web pages of what is published in `store` are in `target`, those of connectors that are gone are not.

    Return how many files they are. `index.html` is written last. Nothing else is deleted, and where there is an
    `index.html` of somebody else, nothing is written. Raises HeadwaterError there.
    """
    before = _pages_before(target, prefix)
    paths = set[str]()
    with target.batch():
        for path, data in _files(store, prefix):
            target.put(path, data, cache_control=_CACHE_CONTROL)
            paths.add(path)
    for path in before - paths:
        target.delete(path)
    return len(paths)


class _Told(msgspec.Struct, frozen=True):
    """What `registry.json` beside earlier pages says."""

    snapshot: str
    rows: list[_ToldRow]


class _ToldRow(msgspec.Struct, frozen=True):
    repository: str


def _pages_before(target: Store, prefix: str) -> set[str]:
    """Return the paths that an earlier report may have written for its connectors. Raises HeadwaterError."""
    there = {version.path for version in target.list(f"{prefix}index.html")}
    try:
        told = msgspec.json.decode(target.get(f"{prefix}registry.json").data, type=_Told)
    except (NotFoundError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if f"{prefix}index.html" in there:
            where = f"{target.address}/{prefix}index.html"
            raise HeadwaterError(f"{where} is not of a registry's report: give another folder than that") from None
        return set()
    names = [page_name(row.repository) for row in told.rows]
    return {f"{prefix}{path}" for name in names for path in (f"connectors/{name}.html", f"icons/{name}.svg")}


def _files(store: Store, prefix: str) -> Iterator[tuple[str, bytes]]:
    return ((f"{prefix}{path}", data) for path, data in pages(store))
