"""Reports beside the registry that they tell of: written into a bucket, where people and other programs find them."""

from __future__ import annotations

from collections.abc import Iterator

from python.registry.reports.report import Report
from python.registry.reports.texts import as_json, as_markdown
from python.registry.reports.web import pages
from python.registry.store import Store

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

    Return how many files they are. `index.html` is written last.
    """
    paths = set[str]()
    with target.batch():
        for path, data in _files(store, prefix):
            target.put(path, data, cache_control=_CACHE_CONTROL)
            paths.add(path)
    for folder in ("connectors/", "icons/"):
        for version in list(target.list(f"{prefix}{folder}")):
            if version.path not in paths:
                target.delete(version.path)
    return len(paths)


def _files(store: Store, prefix: str) -> Iterator[tuple[str, bytes]]:
    return ((f"{prefix}{path}", data) for path, data in pages(store))
