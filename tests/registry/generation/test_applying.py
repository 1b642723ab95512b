"""From a plan to what readers see: whole at every moment, whatever crashes, and whoever else generates."""

from __future__ import annotations

import itertools
import json

import pytest
import yaml

from python.registry.generation.applying import BlockedError, apply, generate
from python.registry.generation.planning import plan
from python.registry.generation.plans import Options
from python.registry.generation.publication import resume, rollback
from python.registry.generation.snapshots import SnapshotError, current, snapshot_ids
from python.registry.store import ConflictError, Store
from python.registry.store.memory import MemoryStore
from tests.registry.generation.buckets import NOW, generated, put, sources, versions, whole
from tests.registry.stores import CrashError, FailingStore, RecordingStore, contents


def bucket() -> MemoryStore:
    store = MemoryStore(now=lambda: NOW)
    put(store, "a")
    put(store, "b", connectorType="destination")
    generated(store)
    put(store, "a", "1.1.0")
    put(store, "c")
    return store


def test_a_crash_at_any_write_leaves_a_whole_registry_and_the_next_run_finishes() -> None:
    inner = bucket()
    for writes in itertools.count():
        inner = bucket()
        before = whole(inner)
        try:
            generate(FailingStore(inner, writes), lambda: NOW)
            break
        except CrashError:
            pass

        seen = whole(inner)
        assert versions(inner) in ({"a": "1.0.0"}, {"a": "1.1.0", "c": "1.0.0"})
        if seen == before:
            assert versions(inner) == versions(inner, "cloud") == {"a": "1.0.0"}
        generated(inner)
        assert versions(inner) == versions(inner, "cloud") == {"a": "1.1.0", "c": "1.0.0"}
        assert plan(inner, NOW).rows == ()
    assert versions(inner) == {"a": "1.1.0", "c": "1.0.0"}


def test_of_two_generators_the_loser_plans_again_and_nothing_is_lost() -> None:
    inner = bucket()

    class Overtaken(RecordingStore):
        def _write(self, path: str) -> None:
            super()._write(path)
            if path == "registries/current.json" and self.written.count(path) == 1:
                put(inner, "d")
                generated(inner)

    store = Overtaken(inner)
    generate(store, lambda: NOW)

    assert versions(inner) == {"a": "1.1.0", "c": "1.0.0", "d": "1.0.0"}
    assert plan(inner, NOW).rows == ()


def test_entries_of_a_loser_are_mended() -> None:
    inner = bucket()
    old = plan(inner, NOW)
    put(inner, "a", "1.2.0")
    generated(inner)

    with pytest.raises(ConflictError):
        apply(inner, old)
    assert json.loads(inner.get("metadata/airbyte/source-a/latest/oss.json").data)["dockerImageTag"] == "1.1.0"
    generated(inner)

    assert json.loads(inner.get("metadata/airbyte/source-a/latest/oss.json").data) == sources(inner)["a"]


def test_a_rival_who_never_ceases_is_told() -> None:
    inner = bucket()

    class Hopeless(RecordingStore):
        def _write(self, path: str) -> None:
            if path == "registries/current.json":
                self.written.append(path)
                generated(inner)
                put(inner, "d", f"1.{len(self.written)}.0")

    with pytest.raises(ConflictError):
        generate(Hopeless(inner), lambda: NOW)


def test_entries_stand_beside_each_version_and_the_latest_ones_too() -> None:
    store = MemoryStore()
    put(store, "a", "1.0.0")
    put(store, "a", "1.1.0")

    generated(store)

    written = {path: json.loads(data) for path, data in contents(store, "metadata/").items() if "oss" in path}
    assert {path.split("/")[3]: entry["dockerImageTag"] for path, entry in written.items()} == {
        "1.0.0": "1.0.0",
        "1.1.0": "1.1.0",
        "latest": "1.1.0",
    }


def test_a_first_run_over_nothing_publishes_empty_registries() -> None:
    store = MemoryStore()

    assert generated(store).is_new
    assert versions(store) == {}
    assert not generated(store).is_new


def test_a_registry_that_would_shrink_much_is_not_published() -> None:
    store = MemoryStore()
    for number in range(10):
        put(store, f"s{number}")
    generated(store)
    before = whole(store)
    for number in range(5):
        put(store, f"s{number}", "1.1.0", registryOverrides={"oss": {"enabled": False}})

    with pytest.raises(BlockedError, match="oss would go from 10 to 5 entries"):
        generated(store)
    assert whole(store) == before

    generated(store, allow_shrink=True)
    assert len(versions(store)) == 5


def test_a_rollback_holds_against_news_until_somebody_resumes() -> None:
    store = MemoryStore(now=lambda: NOW)
    put(store, "a")
    generated(store)
    put(store, "a", "1.1.0")
    generated(store)
    rollback(store, NOW, reason="1.1.0 loses data")
    assert versions(store) == {"a": "1.0.0"}

    with pytest.raises(BlockedError, match=r"1\.1\.0 loses data"):
        generated(store)
    assert versions(store) == {"a": "1.0.0"}

    resume(store)
    generated(store)
    assert versions(store) == {"a": "1.1.0"}


def test_copies_that_a_killed_rollback_has_left_behind_are_made_though_it_holds() -> None:
    store = MemoryStore(now=lambda: NOW)
    for version in ("1.0.0", "1.1.0"):
        put(store, "a", version)
        generated(store)
    with pytest.raises(CrashError):
        rollback(FailingStore(store, 1), NOW, reason="1.1.0 loses data")
    put(store, "b")
    assert versions(store) == {"a": "1.1.0"}

    with pytest.raises(BlockedError, match=r"1\.1\.0 loses data"):
        generated(store)

    assert versions(store) == {"a": "1.0.0"}


def test_the_composite_registry_and_the_mask_are_of_the_same_snapshot() -> None:
    store = bucket()
    generated(store)

    told = json.loads(store.get("registries/v0/composite_registry.json").data)
    assert {each["dockerRepository"]: each["availability"] for each in told["sources"]} == {
        "airbyte/source-a": ["cloud", "oss"],
        "airbyte/source-c": ["cloud", "oss"],
    }
    assert yaml.safe_load(store.get("registries/v0/specs_secrets_mask.yaml").data) == {"properties": ["token"]}


def test_a_broken_snapshot_is_told_rather_than_taken_for_an_empty_one() -> None:
    store = bucket()
    generated(store)
    seen = current(store)
    assert seen is not None
    store.put(f"registries/snapshots/{seen.pointer.snapshot}/oss_registry.json", b"{}")
    put(store, "d")

    with pytest.raises(SnapshotError, match=r"oss_registry\.json was changed"):
        generated(store)


def test_a_plan_can_be_made_without_writing() -> None:
    inner = bucket()
    store = RecordingStore(inner)

    planned = plan(store, NOW, Options())

    assert [(each.repository, each.what, each.old, each.new) for each in planned.changes] == [
        ("airbyte/source-a", "changed", "1.0.0", "1.1.0"),
        ("airbyte/source-c", "added", None, "1.0.0"),
    ]
    assert store.written == []


def test_snapshots_are_told_apart_within_a_second() -> None:
    store: Store = MemoryStore()
    for number in range(3):
        put(store, f"s{number}")
        generated(store)

    assert len(snapshot_ids(store)) == 3
