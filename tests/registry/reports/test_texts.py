"""A report as Markdown and as JSON."""

from __future__ import annotations

import json

import pytest

from python.registry.generation.plans import Change
from python.registry.generation.publication import rollback
from python.registry.reports.report import report
from python.registry.reports.texts import as_json, as_markdown, change_sentence
from python.registry.store.memory import MemoryStore
from tests.registry.generation.buckets import NOW, generated, put


def bucket() -> MemoryStore:
    store = MemoryStore(now=lambda: NOW)
    put(store, "a")
    put(store, "b", connectorType="destination", supportLevel="certified", license="a|b")
    generated(store)
    put(store, "b", "1.1.0", connectorType="destination", registryOverrides={"oss": {"enabled": True}})
    store.put(put(store, "a", "1.1.0"), b"data: <b>")
    generated(store)
    return store


def test_markdown_tells_what_is_wrong_then_what_changed_then_every_connector() -> None:
    told = as_markdown(report(bucket()))

    assert told.startswith("# Connector registry: 2 in oss, 1 in cloud\n")
    assert "\n- `airbyte/source-a` (stays at 1.0.0): metadata/airbyte/source-a/1.1.0/metadata.yaml is not valid" in told
    assert "/data: want a mapping of names to values" in told
    assert "\n- airbyte/source-b changed: 1.0.0 → 1.1.0\n" in told
    assert "\n| B | `airbyte/source-b` | 1.1.0 | destination | community | python | oss |\n" in told
    assert told.index("## Quarantined") < told.index("## Changes") < told.index("## Connectors")


def test_a_rollback_is_told_first() -> None:
    store = bucket()
    rollback(store, NOW, reason="b is wrong")

    assert "**Held by a rollback** since 2026-03-01 12:00 UTC: b is wrong" in as_markdown(report(store))


def test_warnings_are_told_of_connectors_that_stay_nowhere() -> None:
    store = bucket()
    put(store, "b", "v2")
    generated(store)

    told = as_markdown(report(store))

    assert "\n- `airbyte/source-b`: v2 is no semantic version" in told
    assert "\n- airbyte/source-b noted: v2 is no semantic version" in told


def test_markup_of_strangers_is_text() -> None:
    store = MemoryStore()
    marks = "[a](https://b.example.com) `c` *d* _e_ | <f> @g \\ \n- h"
    put(store, "a", license="MIT", supportLevel="community", tags=[f"language:{marks}"])
    store.put("metadata/airbyte/`x|y/1.0.0/metadata.yaml", b"")
    generated(store)

    told = as_markdown(report(store))

    safe = r"\[a\](https://b.example.com) \`c\` \*d\* \_e\_ \| &lt;f> &#64;g \\ - h"
    assert f"| community | {safe} | oss, cloud |\n" in told
    assert "\n- `airbyte/?x?y` (in no registry): " in told


def test_json_has_a_row_for_each_connector() -> None:
    told = json.loads(as_json(report(bucket())))

    assert [(row["repository"], row["version"], "problem" in row) for row in told["rows"]] == [
        ("airbyte/source-a", "1.0.0", True),
        ("airbyte/source-b", "1.1.0", False),
    ]
    assert told["counts"] == {"oss": 2, "cloud": 1}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (Change(repository="a", what="added", new="1.0.0"), "a added: 1.0.0"),
        (Change(repository="a", what="removed", old="1.0.0"), "a removed: 1.0.0"),
        (Change(repository="a", what="changed", old="1.0.0", new="1.0.0"), "a changed: 1.0.0"),
        (Change(repository="a", what="noted", new="1.0.0", why="v2 is none"), "a noted: v2 is none"),
        (Change(repository="a", what="quarantined", old="1.0.0", why="it is broken"), "a quarantined: it is broken"),
    ],
)
def test_a_change_is_one_sentence(change: Change, wanted: str) -> None:
    assert change_sentence(change) == wanted
