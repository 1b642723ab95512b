from __future__ import annotations

from python.registry.reports.keeping import PAGES, keep_pages, keep_reports
from python.registry.reports.report import report
from python.registry.store.memory import MemoryStore
from tests.registry.generation.buckets import NOW, generated, put


def bucket(*names: str) -> MemoryStore:
    store = MemoryStore(now=lambda: NOW)
    for name in names:
        put(store, name)
    generated(store)
    return store


def test_reports_are_kept_where_airbytes_are() -> None:
    store = bucket("a")

    paths = keep_reports(store, report(store))

    assert paths == [f"generated_reports/connector_registry_report.{ending}" for ending in ("json", "md")]
    assert b"airbyte/source-a" in store.get(paths[0]).data
    assert store.get(paths[1]).data.startswith(b"# Connector registry: 1 in oss")


def test_pages_of_connectors_that_are_gone_go_and_no_other_file_does() -> None:
    store = bucket("a", "b")
    target = MemoryStore(now=lambda: NOW)
    target.put("elsewhere/connectors/x.html", b"")

    first = keep_pages(store, target, f"{PAGES}/")
    for version in list(store.list("metadata/airbyte/source-b/")):
        store.delete(version.path)
    generated(store, allow_shrink=True)
    second = keep_pages(store, target, f"{PAGES}/")

    assert second == first - 1
    names = [each.path for each in target.list("")]
    assert f"{PAGES}/connectors/airbyte~source-a.html" in names
    assert f"{PAGES}/connectors/airbyte~source-b.html" not in names
    assert "elsewhere/connectors/x.html" in names
