from __future__ import annotations

from collections.abc import Callable

import pytest

from python.registry.generation import watching
from python.registry.generation.plans import RULES, Options
from python.registry.generation.publication import resume, rollback
from python.registry.generation.watching import mark_of
from python.registry.store import Store
from python.registry.store.memory import MemoryStore
from tests.registry.generation.buckets import NOW, generated, put


def bucket() -> MemoryStore:
    store = MemoryStore(now=lambda: NOW)
    put(store, "a")
    generated(store)
    return store


def held(store: Store) -> None:
    put(store, "a", "1.1.0")
    generated(store)
    rollback(store, NOW, reason="a test")


@pytest.mark.parametrize(
    "change",
    [
        lambda store: put(store, "b"),
        lambda store: put(store, "a", "1.1.0"),
        lambda store: store.delete("metadata/airbyte/source-a/1.0.0/metadata.yaml"),
        lambda store: store.put("metadata/airbyte/source-a/1.0.0/version-yank.yml", b""),
        lambda store: store.put("specs/airbyte/source-a/1.0.0/spec.json", b"{}"),
        lambda store: store.put("connector_dependencies/source-a/1.0.0/dependencies.json", b"{}"),
        lambda store: store.put("connector_metrics/1.jsonl", b""),
        lambda store: store.put("registries/v0/oss_registry.json", b"{}"),
        held,
    ],
)
def test_whatever_changes_registries_is_marked(change: Callable[[Store], object]) -> None:
    store = bucket()
    before = mark_of(store)

    change(store)

    assert mark_of(store) != before


@pytest.mark.parametrize(
    "change",
    [
        generated,
        lambda store: store.put("metadata/airbyte/source-a/1.0.0/oss.json", b"{}"),
        lambda store: store.put("metadata/airbyte/source-a/1.0.0/doc.md", b"# A"),
        lambda store: store.put("generated_reports/connector_registry_report.md", b"# A"),
    ],
)
def test_what_generation_writes_itself_is_not(change: Callable[[Store], object]) -> None:
    store = bucket()
    before = mark_of(store)

    change(store)

    assert mark_of(store) == before


def test_a_rollback_and_its_end_are_marked() -> None:
    store = bucket()
    held(store)
    before = mark_of(store)

    resume(store)

    assert mark_of(store) != before


def test_another_version_of_this_program_and_another_place_of_the_bucket_are_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = bucket()
    before, elsewhere = mark_of(store), mark_of(store, Options(base_url="https://files.example.com"))
    monkeypatch.setattr(watching, "RULES", RULES + 1)

    assert len({before, elsewhere, mark_of(store)}) == 3
