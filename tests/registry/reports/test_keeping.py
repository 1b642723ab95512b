from __future__ import annotations

import pathlib
import urllib.parse

import pytest

from python.protocol.errors import HeadwaterError
from python.registry.reports.keeping import PAGES, keep_pages, keep_reports
from python.registry.reports.report import report
from python.registry.reports.web import page_name
from python.registry.store.folder import FolderStore
from python.registry.store.memory import MemoryStore
from tests.registry.generation.buckets import NOW, generated, put
from tests.registry.stores import contents


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


def test_files_of_others_are_neither_deleted_nor_replaced(tmp_path: pathlib.Path) -> None:
    store, target = MemoryStore(), FolderStore(tmp_path)
    put(store, "a")
    put(store, "b")
    generated(store)
    target.put("connectors/mine.py", b"mine")
    keep_pages(store, target)
    for version in list(store.list("metadata/airbyte/source-b/")):
        store.delete(version.path)
    generated(store, allow_shrink=True)

    keep_pages(store, target)

    assert sorted(version.path for version in target.list("connectors/")) == [
        "connectors/airbyte~source-a.html",
        "connectors/mine.py",
    ]


@pytest.mark.parametrize("registry", [None, b"nonsense", b'{"sources": []}', b"[" * 100_000])
def test_a_page_of_somebody_else_is_not_replaced(registry: bytes | None) -> None:
    store, target = MemoryStore(), MemoryStore()
    put(store, "a")
    generated(store)
    target.put("index.html", b"mine")
    if registry:
        target.put("registry.json", registry)
    before = contents(target)

    with pytest.raises(HeadwaterError, match=r"index.html is not of a registry's report: give another folder"):
        keep_pages(store, target)
    assert contents(target) == before


@pytest.mark.parametrize("odd", ['a/"><script>', "a/b#?%41", "a/ünï", "a/" + "x" * 240, "a/B~b"])
def test_a_connector_of_any_name_has_a_page_that_a_disk_and_an_address_take(odd: str, tmp_path: pathlib.Path) -> None:
    name = page_name(odd)

    FolderStore(tmp_path).put(f"connectors/{name}.html", b"")

    assert urllib.parse.quote(name) == name
    assert name not in {page_name(other) for other in ("a/b", "a/B/b", "a/-7e/-b", "a/x")}
