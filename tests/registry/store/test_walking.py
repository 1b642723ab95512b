from __future__ import annotations

import os
from collections.abc import Container
from pathlib import Path

from python.registry.store.walking import walk


def paths(folder: Path, prefix: str = "", names: Container[str] | None = None) -> list[str]:
    return [path for path, _ in walk(str(folder), prefix, names, lambda _: None)]


def made(folder: Path, *files: str) -> Path:
    for each in files:
        (folder / each).parent.mkdir(parents=True, exist_ok=True)
        (folder / each).write_bytes(b"")
    return folder


def test_a_folder_comes_where_its_files_paths_are_in_order(tmp_path: Path) -> None:
    made(tmp_path, "a/c", "a-b", "a.b", "a0", "ab/c")

    assert paths(tmp_path) == ["a-b", "a.b", "a/c", "a0", "ab/c"] == sorted(paths(tmp_path))


def test_a_prefix_is_text_and_may_end_within_a_folder(tmp_path: Path) -> None:
    made(tmp_path, "x/a/1", "x/ab/2", "x/b/3", "xa")

    assert paths(tmp_path, "x/a") == ["x/a/1", "x/ab/2"]
    assert paths(tmp_path, "x/a/") == ["x/a/1"]
    assert paths(tmp_path, "x") == ["x/a/1", "x/ab/2", "x/b/3", "xa"]


def test_only_what_is_within_a_prefix_is_looked_at(tmp_path: Path) -> None:
    made(tmp_path, "x/a/1", "x/b/.store-1")
    seen: list[str] = []

    list(walk(str(tmp_path), "x/a/", None, lambda each: seen.append(each.name)))

    assert seen == []


def test_a_prefix_leads_neither_out_of_the_folder_nor_through_a_link(tmp_path: Path) -> None:
    made(tmp_path, "secret/a", "bucket/b/c", ".store/lock", "bucket/.store/lock")
    (tmp_path / "bucket" / "link").symlink_to(tmp_path / "secret")

    for prefix in ("../secret/", "../", "link/", "b/../b/", "/", "//", f"{tmp_path}/secret/", ".store/", "b\0/", "c/"):
        assert paths(tmp_path / "bucket", prefix) == []


def test_names_are_those_of_files_alone(tmp_path: Path) -> None:
    made(tmp_path, "a/x", "a/y", "y/x")

    assert paths(tmp_path, "", {"y"}) == ["a/y"]


def test_names_that_are_no_text_are_left_out(tmp_path: Path) -> None:
    made(tmp_path, "a/b", "é/ü")
    for name in (b"/\xff", b"/a/\xff"):
        os.mkdir(os.fsencode(tmp_path) + name)  # noqa: PTH102 -- a name that is no text

    assert paths(tmp_path) == ["a/b", "é/ü"]
