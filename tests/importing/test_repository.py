from __future__ import annotations

import subprocess

import pytest

from python.importing.repository import EMPTY_TREE, GitError, Repository, here
from tests.importing.repositories import Git


def test_a_folder_is_put_in_place_of_another_and_all_else_stays(ours: Git) -> None:
    ours.commit({"a/b/c/1": "1", "a/b/2": "2", "a/3": "3", "d": "4"})
    new = ours("mktree", stdin=ours("ls-tree", "HEAD", "README.md") + "\n")
    repository = here(ours.folder)

    tree = repository.put("HEAD^{tree}", "a/b", new)

    names = ours("ls-tree", "-r", "--name-only", tree).splitlines()
    assert names == ["README.md", "a/3", "a/b/README.md", "d"]
    assert repository.subtree(tree, "a/b") == new
    assert repository.subtree(tree, ".") == tree
    assert repository.subtree(tree, "a/x/y") is None


def test_an_empty_folder_is_not_kept(ours: Git) -> None:
    ours.commit({"a/b/c/1": "1"})
    repository = here(ours.folder)

    tree = repository.put("HEAD^{tree}", "a/b", EMPTY_TREE)

    assert ours("ls-tree", "--name-only", tree) == "README.md"
    assert repository.put(EMPTY_TREE, "x/y", EMPTY_TREE) == EMPTY_TREE


def test_what_git_says_is_told_in_one_line(ours: Git) -> None:
    with pytest.raises(GitError, match=r"^git rev-parse: fatal: Needed a single revision$"):
        here(ours.folder).text("rev-parse", "--verify", "nowhere")


def test_a_git_that_is_missing_is_told(ours: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(GitError, match=r"cannot run git in .*: No such file or directory"):
        here(ours.folder)


def test_a_git_that_is_too_old_is_told(ours: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    def old(*_arguments: object, **_options: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess([], 0, b"git version 2.37.1 (Apple Git-137.1)\n", b"")

    monkeypatch.setattr(subprocess, "run", old)
    with pytest.raises(GitError, match=r"git is 2\.37\.1, want 2\.38 or later"):
        here(ours.folder)


def test_git_asks_nobody_who_is_not_there(ours: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    ours("config", "alias.show-environment", "!echo $GIT_EDITOR $GIT_TERMINAL_PROMPT $GIT_DIR-")
    monkeypatch.setenv("GIT_EDITOR", "vi")

    assert Repository(ours.folder).text("show-environment") == ": 0 -"
