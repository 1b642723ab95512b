"""The pages: a list with its data, a page for each connector, and nothing in them that runs or is fetched."""

from __future__ import annotations

import json
import re

import pytest

from python.registry.generation.snapshots import SnapshotError
from python.registry.reports.documents import safe_html, safe_icon
from python.registry.reports.web import pages
from python.registry.store.memory import MemoryStore
from tests.registry.generation.buckets import NOW, generated, put, spec

ICON = b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'


def bucket() -> MemoryStore:
    """Three connectors: one with documentation, icon and a breaking version, one that is broken, one never good."""
    store = MemoryStore(now=lambda: NOW)
    put(store, "a")
    put(store, "b")
    generated(store)
    required = spec(region={"type": "string", "title": "Region", "description": "Where **it** is"})
    required["connectionSpecification"]["required"] = ["region"]
    change = {"2.0.0": {"message": "The *region* is needed", "upgradeDeadline": "2026-09-01"}}
    put(
        store, "a", "2.0.0", required, releases={"breakingChanges": change}, allowedHosts={"hosts": ["<b>.example.com"]}
    )
    store.put("metadata/airbyte/source-a/2.0.0/icon.svg", ICON)
    store.put("metadata/airbyte/source-a/2.0.0/doc.md", b"# How it works\n\n<script>alert(1)</script>\n")
    store.put(put(store, "b", "1.1.0"), b"nonsense")
    store.put(put(store, "c"), b"nonsense")
    generated(store)
    return store


def site() -> dict[str, str]:
    return {path: data.decode() for path, data in pages(bucket())}


def test_there_is_a_page_for_each_connector_and_the_index_is_written_last() -> None:
    assert list(site()) == [
        "icons/airbyte~source-a.svg",
        "connectors/airbyte~source-a.html",
        "connectors/airbyte~source-b.html",
        "connectors/airbyte~source-c.html",
        "registry.json",
        "data.js",
        "style.css",
        "index.js",
        "index.html",
    ]


def test_the_data_is_a_script_that_no_text_can_leave() -> None:
    store = MemoryStore()
    put(store, "a", license="</script><script>alert(1)</script>")
    generated(store)

    script = dict(pages(store))["data.js"].decode()

    assert "</script" not in script
    assert json.loads(script.removeprefix("window.CONNECTORS = ").removesuffix(";\n"))[0]["license"].startswith(
        "</script>"
    )


def test_a_page_tells_versions_changes_config_documentation_and_hosts() -> None:
    page = site()["connectors/airbyte~source-a.html"]

    for wanted in (
        '<code>2.0.0</code> <span class="chip good">latest</span>',
        '<span class="chip bad">breaking</span>',
        "since 1.0.0",
        "<strong>it</strong>",
        "The <em>region</em> is needed",
        "<h1>How it works</h1>",
        "&lt;b&gt;.example.com",
        '<span class="chip warn">required</span>',
    ):
        assert wanted in page
    assert "alert(1)" not in page


def test_what_is_quarantined_is_told_on_the_index_and_on_its_page() -> None:
    told = site()

    assert "2 quarantined" in told["index.html"]
    assert "Quarantined, and stays at 1.0.0." in told["connectors/airbyte~source-b.html"]
    assert "in no registry" in told["connectors/airbyte~source-c.html"]


@pytest.mark.parametrize("mark", ["airbyte_secret", "secret"])
def test_secrets_are_marked_as_airbyte_and_as_flow_mark_them(mark: str) -> None:
    store = MemoryStore(now=lambda: NOW)
    put(store, "a", specification=spec(token={"type": "string", mark: True}))
    generated(store)

    page = dict(pages(store))["connectors/airbyte~source-a.html"].decode()

    assert '<code>token</code> <span class="chip">secret</span>' in page


def test_a_version_that_is_quarantined_is_not_called_the_latest() -> None:
    page = site()["connectors/airbyte~source-b.html"]

    assert '<code>1.1.0</code> <span class="chip bad">quarantined</span>' in page
    assert '<span class="chip good">latest</span>' not in page


def test_a_version_that_says_it_breaks_is_called_breaking_whatever_is_found() -> None:
    store = MemoryStore(now=lambda: NOW)
    put(store, "a")
    change = {"2.0.0": {"message": "Streams mean something else", "upgradeDeadline": "2026-09-01"}}
    put(store, "a", "2.0.0", releases={"breakingChanges": change})
    generated(store)

    page = dict(pages(store))["connectors/airbyte~source-a.html"].decode()

    assert '<span class="chip bad">breaking</span>' in page
    assert '<span class="chip good">compatible</span>' not in page


def test_backticks_in_a_value_that_changed_do_not_end_its_code() -> None:
    store = MemoryStore(now=lambda: NOW)
    put(store, "a")
    put(store, "a", "1.1.0", license="`one` or ``two``")
    generated(store)

    page = dict(pages(store))["connectors/airbyte~source-a.html"].decode()

    assert "<code>`one` or ``two``</code>" in page


def test_a_yanked_version_says_why() -> None:
    store = bucket()
    store.put("metadata/airbyte/source-a/2.0.0/version-yank.yml", b"reason: loses <b>data</b>\n")
    generated(store)

    page = dict(pages(store))["connectors/airbyte~source-a.html"].decode()

    assert '<span class="chip bad">yanked</span>' in page
    assert "loses &lt;b&gt;data&lt;/b&gt;" in page


def test_no_page_loads_anything_from_elsewhere() -> None:
    for path, text in site().items():
        if path.endswith(".html"):
            assert not re.findall(r'(?:src|<link[^>]*href)="(?:https?:)?//', text), path


def test_nothing_published_is_told() -> None:
    with pytest.raises(SnapshotError, match="run `headwater registry generate` first"):
        list(pages(MemoryStore()))


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        ("**a**", "<p><strong>a</strong></p>\n"),
        ("a <script>x</script> b", "<p>a  b</p>\n"),
        ("[a](javascript:alert)", "<p>[a](javascript:alert)</p>\n"),
        ('<a href="javascript:alert(1)">a</a>', '<p><a rel="noopener noreferrer">a</a></p>\n'),
        ('<div onclick="x">a</div>', "<div>a</div>"),
        ("![a](https://example.com/a.png)", "<p></p>\n"),
        ("---\ntitle: x\n---\na", "<p>a</p>\n"),
    ],
)
def test_documentation_is_shown_without_what_runs_or_is_fetched(markdown: str, wanted: str) -> None:
    assert safe_html(markdown) == wanted


@pytest.mark.parametrize(
    "data",
    [
        b"no picture",
        b"<svg><script>alert(1)</script></svg>",
        b'<svg onload="alert(1)"/>',
        b'<svg><a href="javascript:alert(1)"/></svg>',
        b"<svg><foreignObject/></svg>",
        b"<svg>" + b" " * 600_000,
    ],
)
def test_an_icon_that_could_run_something_is_left_out(data: bytes) -> None:
    assert safe_icon(data) is None
    assert safe_icon(ICON) == ICON
