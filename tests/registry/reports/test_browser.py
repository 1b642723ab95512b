"""The pages in a real browser, from a file:// address: Chromium, which .ci/install-tools installs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from python.registry.reports.web import pages
from python.registry.store.folder import FolderStore
from python.registry.store.memory import MemoryStore
from tests.registry.generation.buckets import generated, put, spec

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = MemoryStore()
    for number in range(250):
        put(store, f"number-{number}", f"1.{number}.0", tags=["language:java" if number % 2 else "language:python"])
    put(store, "stripe", "1.0.0", connectorType="destination", supportLevel="certified")
    store.put("metadata/airbyte/source-stripe/1.0.0/icon.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>')
    store.put("metadata/airbyte/source-stripe/1.0.0/doc.md", b"# Read me")
    generated(store)
    store.put(put(store, "number-7", "2.0.0"), b"nonsense")
    generated(store)
    return written(store, tmp_path_factory.mktemp("site"))


def written(store: MemoryStore, folder: Path) -> Path:
    target = FolderStore(folder)
    for path, data in pages(store):
        target.put(path, data)
    return folder


def browsed(site: Path, address: str, *more: str) -> tuple[str, str]:
    """The page as the browser has it after its scripts ran, and what it told of errors."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    assert browser, "there is no chromium: run .ci/install-tools, or install it by hand"
    flags = ["--headless", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=5000", *more]
    flags += ["--no-sandbox"] if os.getuid() == 0 else []
    done = subprocess.run(
        [browser, *flags, f"--user-data-dir={site.parent / 'browser'}", "--dump-dom", f"file://{site}/{address}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


def names(page: str) -> list[str]:
    return re.findall(r'<a href="connectors/[^"]*">([^<]*)</a><div class="quiet small">', page)


def test_the_list_is_shown_sorted_with_a_page_at_once_and_no_error(site: Path) -> None:
    page, errors = browsed(site, "index.html")

    assert errors == ""
    assert len(names(page)) == 200
    assert names(page)[:3] == ["Number-0", "Number-1", "Number-2"]
    assert "251 of 251 connectors" in page
    assert 'id="more" class="more" type="button">' in page
    assert "1 quarantined" in page


@pytest.mark.parametrize(
    ("said", "wanted", "count"),
    [
        ("search=stripe", ["Stripe"], 1),
        ("search=NUMBER%2012", ["Number-12", "Number-112", "Number-120"], 13),
        ("kind=destination", ["Stripe"], 1),
        ("supportLevel=certified&registries=cloud", ["Stripe"], 1),
        ("state=quarantined", ["Number-7"], 1),
        ("language=java&sort=-version", ["Number-249", "Number-247"], 125),
        ("search=nothing", [], 0),
    ],
)
def test_search_filters_and_order_are_in_the_address(site: Path, said: str, wanted: list[str], count: int) -> None:
    page, errors = browsed(site, f"index.html#{said}")

    assert errors == ""
    assert names(page)[: len(wanted)] == wanted
    assert f"{count} of 251 connectors" in page


def test_filters_that_would_leave_all_there_are_not_shown(site: Path, tmp_path: Path) -> None:
    store = MemoryStore()
    put(store, "a", registryOverrides={"oss": {"enabled": True}}, tags=["language:java"])
    put(store, "b", registryOverrides={"oss": {"enabled": True}})
    generated(store)

    few, errors = browsed(written(store, tmp_path / "few"), "index.html")
    many, _ = browsed(site, "index.html")

    assert errors == ""
    assert re.findall(r'<label hidden="">(\w+)<', few) == ["Type", "Support", "Registry", "State"]
    assert re.findall(r'<label hidden="">(\w+)<', many) == ["Registry"]


def test_a_connectors_page_is_shown_with_icon_and_documentation(site: Path) -> None:
    page, errors = browsed(site, "connectors/airbyte~source-stripe.html")

    assert errors == ""
    assert "<h1>Read me</h1>" in page
    assert 'src="../icons/airbyte~source-stripe.svg"' in page


def test_the_page_can_be_pictured(site: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"

    browsed(site, "index.html", f"--screenshot={picture}", "--window-size=1200,900")

    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000  # a blank page of this size has 4,000


EVIL = (
    "\"'></script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
    "<a href=\"javascript:document.title='run'\">a</a> [b](javascript:document.title='run') {{7*7}} `${1}`"
)


def test_nothing_runs_that_strangers_write(tmp_path: Path) -> None:
    store = MemoryStore()
    members: dict[str, Any] = {
        "license": EVIL,
        "tags": [f"language:{EVIL}"],
        "githubIssueLabel": EVIL,
        "protocolVersion": EVIL,
    }
    members |= {"allowedHosts": {"hosts": [EVIL]}, "suggestedStreams": {"streams": [EVIL]}}
    change = {"2.0.0": {"message": EVIL, "upgradeDeadline": "2026-09-01"}}
    field = {"type": [EVIL], "title": EVIL, "description": EVIL, "oneOf": [{"title": EVIL}]}
    put(store, "a", "1.0.0", **members)
    put(store, "a", "2.0.0", spec(**{EVIL: field}), releases={"breakingChanges": change}, **members)
    store.put("metadata/airbyte/source-a/2.0.0/doc.md", f"{EVIL}\n\n```js\n{EVIL}\n```\n".encode())
    put(store, "a", "1.5.0")
    store.put("metadata/airbyte/source-a/1.5.0/version-yank.yml", yaml.safe_dump({"reason": EVIL}).encode())
    store.put(f"metadata/airbyte/{EVIL.replace('/', '')}/1.0.0/metadata.yaml", EVIL.encode())
    generated(store)
    site = written(store, tmp_path / "site")

    for page in ["index.html", *(f"connectors/{each.name}" for each in (site / "connectors").iterdir())]:
        dom, errors = browsed(site, page)

        assert "<title>run" not in dom, page
        assert "document.title" in dom, "it is told as text"
        assert not re.findall(r"<(?:script>|img|a [^>]*javascript)", dom), page
        assert errors == "", page
