"""The work tree is changed as a whole or not at all, whatever happens on the way."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from python.importing import merging
from python.importing.merging import merged, undoing
from python.importing.pulling import ConflictError
from python.importing.repository import EMPTY_TREE, GitError, Repository, here
from tests.importing.repositories import Git

pytestmark = pytest.mark.slow


PULL = """
import pathlib, sys
from python.importing.pulling import pull
from python.protocol.errors import HeadwaterError
from tests.importing.repositories import ORDER
try:
    print(*pull(ORDER, pathlib.Path.cwd()))
except HeadwaterError as error:
    sys.exit(str(error))
"""


def pull_within(ours: Git, limit: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    """An import in a process of its own, in which `limit` was called."""
    root = str(Path(__file__).parent.parent.parent)
    return subprocess.run(
        [sys.executable, "-c", PULL],
        cwd=ours.folder,
        env=dict(os.environ) | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )


def _small_files() -> None:
    """As on a disk that is full: a file of more than 100,000 bytes cannot be written."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


@pytest.mark.parametrize("edited", [False, True])
def test_a_disk_that_is_full_leaves_all_as_it_was(ours: Git, theirs: Git, edited: bool) -> None:
    ours.pull()
    ours.commit({"source-x/main.py": "ours\n" if edited else "one\ntwo\nthree\n"})
    # Zeros take no room as objects of git, so what fails is the last step of all, after other files were written.
    theirs.commit(
        {
            "connectors/source-x/a/new.py": "new\n",
            "connectors/source-x/main.py": "theirs\n",
            "connectors/source-x/zeros": bytes(5_000_000),
        }
    )
    before = ours.state()

    done = pull_within(ours, _small_files)

    assert done.returncode == 1
    assert done.stderr == "git read-tree: it was ended by SIGXFSZ; index and work tree are as they were\n"
    assert ours.state() == before
    assert ours("write-tree") == ours("rev-parse", "HEAD^{tree}")


def _as_on_a_terminal() -> None:
    os.setpgrp()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # which are ignored where the tests run beside
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_waits_until_the_work_tree_is_whole(ours: Git, number: signal.Signals) -> None:
    """A filter of git signals the whole process group while files are written, as a Ctrl-C on a terminal does."""
    ours("config", "filter.signals.smudge", f"kill -{number.name.removeprefix('SIG')} 0; cat")
    ours.commit({".gitattributes": "main.py filter=signals\n"})

    done = pull_within(ours, _as_on_a_terminal)

    assert done.returncode == -number  # it has ended by it, after
    assert ours("status", "--porcelain") == ""
    assert ours("log", "-1", "--format=%s").startswith("import: source-x")
    assert ours.files() == [".gitattributes", "README.md", "source-x/main.py", "source-x/old.py"]


def test_what_a_killed_import_leaves_is_told_by_the_next(ours: Git) -> None:
    """SIGKILL cannot be held back; here, it comes when the first file is written."""
    ours("config", "filter.kills.smudge", "kill -KILL 0; cat")
    ours.commit({".gitattributes": "old.py filter=kills\n"})
    assert pull_within(ours, os.setpgrp).returncode == -signal.SIGKILL
    ours("config", "filter.kills.smudge", "cat")

    with pytest.raises(GitError, match=r"move them away: source-x/.*an import was killed while it wrote.*git clean"):
        ours.pull()
    ours("reset", "--quiet", "--hard")
    ours("clean", "--quiet", "-fd")
    assert "imported" in ours.pull()[-1]
    assert not list((ours.folder / ".git").glob("headwater-*"))


def test_signals_are_as_before_afterwards(ours: Git) -> None:
    ours.pull()

    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
    assert threading.active_count() >= 1


def test_a_head_that_moved_meanwhile_is_not_lost(ours: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Repository.run

    def racing(self: Repository, *arguments: str, **options: Any) -> bytes:
        if arguments[:2] == ("read-tree", "-m"):
            ours("update-ref", "HEAD", ours("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "another"))
        return run(self, *arguments, **options)

    monkeypatch.setattr(Repository, "run", racing)
    with pytest.raises(GitError, match="update-ref"):
        ours.pull()

    assert ours("log", "-1", "--format=%s") == "another"
    assert ours("status", "--porcelain", "--ignored") == ""
    assert ours.files() == ["README.md"]


def test_a_conflict_that_cannot_be_noted_leaves_all_as_it_was(
    ours: Git, theirs: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours.pull()
    ours.commit({"source-x/main.py": "ours\n"})
    theirs.commit({"connectors/source-x/main.py": "theirs\n", "connectors/source-x/new/new.py": "new\n"})
    before = ours.state()
    run = Repository.run

    def failing(self: Repository, *arguments: str, **options: Any) -> bytes:
        if "--index-info" in arguments:
            raise GitError("no space left on device")
        return run(self, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Repository, "run", failing)
        with pytest.raises(GitError, match="no space left"):
            ours.pull()
    assert ours.state() == before
    with pytest.raises(ConflictError):
        ours.pull()


def test_a_merge_of_trees_touches_nothing(ours: Git) -> None:
    base = ours("rev-parse", ours.commit({"a": "1\n2\n3\n", "b": "1\n"}) + "^{tree}")
    edited = ours("rev-parse", ours.commit({"a": "0\n1\n2\n3\n"}) + "^{tree}")
    without_b = ours("mktree", stdin=ours("ls-tree", base, "a") + "\n")
    before = ours.state()

    found = merged(here(ours.folder), base, edited, without_b)

    assert found == (ours("mktree", stdin=ours("ls-tree", edited, "a") + "\n"), ())
    assert ours.state() == before
    assert ours("for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert not list((ours.folder / ".git").glob("*_HEAD"))


def test_merging_with_nothing_before_takes_both_sides(ours: Git) -> None:
    whole = ours.commit({"a": "a", "b": "b"})
    sides = [ours("mktree", stdin=ours("ls-tree", whole, name) + "\n") for name in "ab"]

    found = merged(here(ours.folder), EMPTY_TREE, *sides)

    assert ours("ls-tree", "--name-only", found.tree).splitlines() == ["a", "b"]


def test_many_files_in_the_way_are_not_all_listed(ours: Git) -> None:
    tree = ours("rev-parse", ours.commit({f"{number:02}": "x" for number in range(30)}) + "^{tree}")
    ours("reset", "--quiet", "--hard", "HEAD~1")
    for number in range(30):
        (ours.folder / f"{number:02}").write_text("mine")

    with pytest.raises(merging.InTheWayError, match=r"move them away: 00, .* 09 and others$"):
        undoing(here(ours.folder), tree).__enter__()
