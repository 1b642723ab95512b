"""A connector's versions: the newest compared, all of them listed, however many and however odd."""

from __future__ import annotations

from python.registry.reports.histories import COMPARED_MAX, releases
from python.registry.service.layout import At
from python.registry.service.yanking import Yank, yank
from python.registry.store.memory import MemoryStore
from tests.registry.generation.buckets import NOW, put

REPOSITORY = "airbyte/source-a"


def uploaded(store: MemoryStore) -> dict[str, str]:
    return {version.path: version.updated.isoformat() for version in store.list("metadata/")}


def test_of_many_versions_all_are_listed_and_the_newest_are_compared() -> None:
    store = MemoryStore()
    for minor in range(COMPARED_MAX + 5):
        put(store, "a", f"1.{minor}.0")

    told = list(releases(store, REPOSITORY, uploaded(store)))

    assert [each.version for each in told] == [f"1.{minor}.0" for minor in reversed(range(COMPARED_MAX + 5))]
    assert [each.before is not None for each in told] == [True] * COMPARED_MAX + [False] * 5


def test_a_version_that_nobody_can_read_is_told_and_hinders_no_other() -> None:
    store = MemoryStore()
    put(store, "a", "1.0.0")
    store.put(put(store, "a", "1.1.0"), b"data: {a: {null: " + b"[" * 600 + b"]" * 600 + b"}}")
    store.put(put(store, "a", "1.2.0"), b"data: 3")

    told = {each.version: each.unknown for each in releases(store, REPOSITORY, uploaded(store))}

    assert told["1.1.0"].startswith("it cannot be compared with 1.0.0")
    assert told["1.2.0"].startswith("it cannot be compared with 1.1.0")


def test_a_reason_that_nobody_can_read_is_none() -> None:
    store = MemoryStore()
    put(store, "a", "1.0.0")
    for reason in (b"\xff", b"[" * 600, b"reason: &a [*a]", b"3"):
        store.put(f"metadata/{REPOSITORY}/1.0.0/version-yank.yml", reason)

        assert next(releases(store, REPOSITORY, uploaded(store))).state == "yanked"


def test_a_version_taken_back_tells_why_by_whom_and_when() -> None:
    store = MemoryStore()
    put(store, "a", "1.0.0")
    yank(store, At(REPOSITORY, "1.0.0"), Yank(reason="it loses data", by="Ann", at=NOW))

    told = next(releases(store, REPOSITORY, uploaded(store)))

    assert told.why == "it loses data (Ann, 2026-03-01T12:00:00+00:00)"
