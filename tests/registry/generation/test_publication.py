"""Publishing by one switch: readers see a whole snapshot, whatever crashes and whoever else publishes."""

from __future__ import annotations

import datetime as dt
import itertools
import json

import pytest

from python.registry.generation import snapshots
from python.registry.generation.publication import Candidate, heal, keep, prune, resume, rollback, switch
from python.registry.generation.snapshots import (
    POINTER,
    PUBLISHED,
    SnapshotError,
    current,
    once_published,
    path_in,
    snapshot_ids,
)
from python.registry.store import ConflictError, Store
from python.registry.store.memory import MemoryStore
from tests.registry.stores import CrashError, FailingStore, RecordingStore

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone.utc)


def candidate(name: str) -> Candidate:
    """A snapshot all of whose files say its name."""
    files = [(file, json.dumps({"of": name}).encode()) for file in (*PUBLISHED, "inputs.json")]
    return Candidate(id=name, made=NOW, files=files, counts={"oss": 1})


def published(store: Store, name: str) -> None:
    switch(store, candidate(name), current(store))
    heal(store)


def fixed(store: Store) -> list[str]:
    """What the files at the fixed paths say of whose they are."""
    return [json.loads(store.get(f"{snapshots.FIXED}/{name}").data)["of"] for name in PUBLISHED]


def test_a_crash_at_any_write_leaves_readers_with_whole_files_and_the_next_run_finishes() -> None:
    inner = MemoryStore()
    for writes in itertools.count():
        inner = MemoryStore()
        published(inner, "a")
        failing = FailingStore(inner, writes)
        try:
            published(failing, "b")
            break
        except CrashError:
            pass

        seen = current(inner)
        assert seen is not None
        assert {json.loads(snapshots.read(inner, seen.manifest, name))["of"] for name in PUBLISHED} == {
            seen.pointer.snapshot
        }
        assert set(fixed(inner)) <= {"a", seen.pointer.snapshot}
        heal(inner)
        assert fixed(inner) == [seen.pointer.snapshot] * len(PUBLISHED)
    assert fixed(inner) == ["b"] * len(PUBLISHED)


def test_of_two_who_publish_at_once_the_second_changes_nothing_that_counts() -> None:
    store = MemoryStore()
    published(store, "a")
    seen = current(store)
    published(store, "b")

    with pytest.raises(ConflictError):
        switch(store, candidate("c"), seen)

    heal(store)
    assert fixed(store) == ["b"] * len(PUBLISHED)


def test_of_two_first_ones_the_second_loses() -> None:
    store = MemoryStore()
    switch(store, candidate("a"), None)

    with pytest.raises(ConflictError):
        switch(store, candidate("b"), None)


def test_healing_what_is_well_writes_nothing() -> None:
    inner = MemoryStore()
    published(inner, "a")
    store = RecordingStore(inner)

    heal(store)

    assert store.written == []


def test_a_copy_that_somebody_has_changed_is_mended() -> None:
    store = MemoryStore()
    published(store, "a")
    store.put(f"{snapshots.FIXED}/oss_registry.json", b"nonsense")

    heal(store)

    assert fixed(store) == ["a"] * len(PUBLISHED)


def test_healing_follows_a_pointer_that_moves_meanwhile() -> None:
    inner = MemoryStore()
    published(inner, "a")
    switch(inner, candidate("b"), current(inner))

    class Overtaken(RecordingStore):
        def _write(self, path: str) -> None:
            super()._write(path)
            if len(self.written) == 1:
                switch(inner, candidate("c"), current(inner))

    heal(Overtaken(inner))

    assert fixed(inner) == ["c"] * len(PUBLISHED)


def test_a_rollback_goes_to_the_parent_and_holds_until_somebody_resumes() -> None:
    store = MemoryStore()
    published(store, "a")
    published(store, "b")

    back = rollback(store, NOW, reason="b is wrong")

    assert (back.pointer.snapshot, back.pointer.hold and back.pointer.hold.reason) == ("a", "b is wrong")
    assert fixed(store) == ["a"] * len(PUBLISHED)
    assert [resume(store), resume(store)] == [True, False]


def test_nobody_goes_back_to_a_snapshot_that_is_not_whole() -> None:
    store = MemoryStore()
    published(store, "a")
    published(store, "b")
    store.delete(path_in("a", "cloud_registry.json"))

    with pytest.raises(SnapshotError, match=r"cloud_registry\.json is missing"):
        rollback(store, NOW, reason="")

    assert fixed(store) == ["b"] * len(PUBLISHED)


@pytest.mark.parametrize(
    ("names", "message"), [([], "nothing was ever published"), (["a"], "is the first snapshot: there is none")]
)
def test_where_there_is_nothing_to_go_back_to_is_said(names: list[str], message: str) -> None:
    store = MemoryStore()
    for name in names:
        published(store, name)

    with pytest.raises(SnapshotError, match=message):
        rollback(store, NOW, reason="")


def test_a_rollback_to_a_snapshot_gets_around_a_pointer_that_cannot_be_read() -> None:
    store = MemoryStore()
    published(store, "a")
    store.put(POINTER, b'{"snapshot":')

    with pytest.raises(SnapshotError, match=r"current\.json cannot be read.*registry rollback memory: --to a"):
        rollback(store, NOW, reason="")
    assert rollback(store, NOW, to="a", reason="").pointer.snapshot == "a"
    assert fixed(store) == ["a"] * len(PUBLISHED)


def test_a_snapshot_that_was_only_prepared_is_no_way_out() -> None:
    store = MemoryStore()
    published(store, "a")
    published(store, "b")
    keep(store, candidate("c"), "b")
    store.put(POINTER, b"nonsense")

    with pytest.raises(SnapshotError, match="--to b --reason"):
        rollback(store, NOW, reason="")


def test_nobody_goes_to_a_snapshot_that_was_only_prepared() -> None:
    store = MemoryStore()
    published(store, "a")
    keep(store, candidate("b"), "a")

    with pytest.raises(SnapshotError, match="nobody ever published it: `headwater registry publish memory: --snaps"):
        rollback(store, NOW, to="b", reason="")
    assert fixed(store) == ["a"] * len(PUBLISHED)


def test_a_snapshot_is_no_less_published_after_others_were_gone_back_to() -> None:
    store = MemoryStore()
    for name in "abc":
        published(store, name)

    gone_to = [rollback(store, NOW, to=name, reason="").pointer.snapshot for name in "acbcb"]
    resume(store)
    published(store, "d")

    assert gone_to == [*"acbcb"]
    assert once_published(store) == [*"abcd"]


def test_what_was_published_is_known_though_the_pointer_is_gone_or_an_older_one() -> None:
    store = MemoryStore()
    published(store, "a")
    published(store, "b")
    keep(store, candidate("c"), "b")
    pointer = json.loads(store.get(POINTER).data)
    del pointer["before"]
    store.put(POINTER, json.dumps(pointer).encode())
    older = once_published(store)
    store.delete(POINTER)

    assert older == once_published(store) == ["a", "b"]


def test_where_only_a_candidate_was_prepared_nothing_was_published() -> None:
    store = MemoryStore()
    keep(store, candidate("a"), None)

    assert once_published(store) == []


def test_the_pointer_remembers_a_hundred_snapshots() -> None:
    store = MemoryStore()
    for number in range(102):
        published(store, f"{number:03}")

    seen = current(store)
    assert seen is not None
    assert (len(seen.pointer.before), seen.pointer.before[-1]) == (100, "100")


def test_a_manifest_of_another_snapshot_is_refused() -> None:
    store = MemoryStore()
    published(store, "a")
    published(store, "b")
    store.put(path_in("b", snapshots.MANIFEST), store.get(path_in("a", snapshots.MANIFEST)).data)

    with pytest.raises(SnapshotError, match=r"b/manifest\.json is the manifest of another snapshot, a"):
        rollback(store, NOW, to="b", reason="")


def test_a_rollback_to_a_snapshot_gets_around_a_pointer_that_was_deleted() -> None:
    store = MemoryStore()
    published(store, "a")
    store.delete(POINTER)

    assert rollback(store, NOW, to="a", reason="").pointer.snapshot == "a"


def test_old_snapshots_are_deleted_but_not_the_current_one_its_parent_and_young_ones() -> None:
    store = MemoryStore(now=lambda: NOW)
    for name in "abcde":
        published(store, name)
    later = NOW + dt.timedelta(days=2)

    assert prune(store, NOW, keep=1) == []
    assert prune(store, later, keep=1) == ["a", "b", "c"]
    assert snapshot_ids(store) == ["d", "e"]


def test_what_was_only_prepared_takes_no_place_of_what_was_published() -> None:
    store = MemoryStore(now=lambda: NOW)
    for name in "abcd":
        published(store, name)
    for name in "xyz":
        keep(store, candidate(name), "d")

    assert prune(store, NOW + dt.timedelta(days=2), keep=3) == ["a", "x", "y", "z"]


def test_a_pointer_to_a_changed_manifest_is_told() -> None:
    store = MemoryStore()
    published(store, "a")
    store.put(path_in("a", "manifest.json"), b"{}")

    with pytest.raises(SnapshotError, match=r"is not what registries/current\.json names"):
        current(store)
