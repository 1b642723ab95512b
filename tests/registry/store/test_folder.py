from __future__ import annotations

import os
from pathlib import Path

import pytest

from python.registry.store import ConflictError, PathError, StoreError, Unchanged
from python.registry.store.folder import LEFTOVER_SECONDS_MIN, FolderStore
from python.registry.store.walking import OWN, WRITING


def test_objects_are_files_that_people_can_look_at(tmp_path: Path) -> None:
    FolderStore(tmp_path).put("a/b.txt", b"x")

    assert (tmp_path / "a" / "b.txt").read_bytes() == b"x"
    assert (tmp_path / "a" / "b.txt").stat().st_mode & 0o777 == 0o644


def test_files_that_people_copy_are_objects(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"x")

    (version,) = FolderStore(tmp_path).list()

    assert (version.path, version.size) == ("a/b", 1)


def test_the_stores_own_files_are_none(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("a", b"")

    assert [each.path for each in store.list()] == ["a"]
    with pytest.raises(PathError, match=r"\.store and .* the store's own"):
        store.get(f"{OWN}/lock")
    with pytest.raises(PathError, match=r"\.store- are the store's own"):
        store.put(f"a/{WRITING}1", b"")


def test_links_are_no_objects(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    store = FolderStore(tmp_path / "bucket")
    store.put("a", b"")
    (tmp_path / "bucket" / "b").symlink_to(tmp_path / "secret")
    (tmp_path / "bucket" / "c").symlink_to(tmp_path)

    assert [each.path for each in store.list()] == ["a"]


def test_a_generation_changes_even_where_the_clock_stands_still(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, clock_ns=lambda: 1_000)

    generations = [store.put("a", b"x").generation for _ in range(20)]

    assert len(set(generations)) == 20


def test_a_writer_that_is_killed_leaves_no_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path)
    store.put("a", b"old")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        store.put("a", b"new")

    assert [(each.path, store.get(each.path).data) for each in store.list()] == [("a", b"old")]
    assert [each.name for each in (tmp_path / OWN).iterdir()] == ["lock"]


def test_an_object_cannot_be_where_a_folder_is(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("a/b", b"")

    for path in ("a", "a/b/c"):
        with pytest.raises(PathError, match="is there already"):
            store.put(path, b"")


def test_a_missing_folder_holds_nothing_until_the_first_write(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "not" / "there")

    assert list(store.list()) == []
    store.delete("a")
    assert not (tmp_path / "not").exists()
    store.put("a", b"")
    assert [each.path for each in store.list()] == ["a"]


def test_a_file_is_no_bucket(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StoreError, match="is a file"):
        list(FolderStore(tmp_path / "file").list())
    with pytest.raises(StoreError):
        FolderStore(tmp_path / "file").put("a", b"")


def test_two_stores_of_one_folder_heed_each_other(tmp_path: Path) -> None:
    one, other = FolderStore(tmp_path), FolderStore(tmp_path)
    seen = one.put("a", b"1")

    assert other.put("a", b"2", when=Unchanged(seen.generation)).size == 1


def test_writes_of_a_batch_are_there_at_once(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)

    with store.batch():
        store.put("a", b"x")
        assert store.get("a").data == b"x"


def test_what_a_killed_writer_left_is_no_object_and_swept_away_after_a_day(tmp_path: Path) -> None:
    FolderStore(tmp_path).put("a/b", b"")
    for name, age in (("old", LEFTOVER_SECONDS_MIN + 1), ("new", 1)):
        (tmp_path / "a" / f"{WRITING}{name}").write_bytes(b"")
        os.utime(tmp_path / "a" / f"{WRITING}{name}", ns=(10**18 - age * 10**9,) * 2)

    found = list(FolderStore(tmp_path, clock_ns=lambda: 10**18).list())

    assert [each.path for each in found] == ["a/b"]
    assert sorted(each.name for each in (tmp_path / "a").iterdir()) == [f"{WRITING}new", "b"]


def test_a_write_that_is_refused_leaves_no_folder(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)

    with pytest.raises(ConflictError):
        store.put("a/b", b"", when=Unchanged("0"))

    assert not (tmp_path / "a").exists()


def test_a_batch_in_a_batch_waits_for_the_outer_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "sync", lambda: synced.append(1))
    store = FolderStore(tmp_path)

    with store.batch(), store.batch():
        store.put("a", b"")

    assert synced == [1]
