"""Two versions of a folder merged into one, away from the work tree; and the result put there, all or nothing."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from python.importing.repository import GitError, Repository

__all__ = ["InTheWayError", "Merged", "after_a_kill", "begin_merge", "finish", "merged", "undoing"]

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SIDES = ("LOCAL_HEAD", "UPSTREAM_HEAD")  # what conflict markers call the sides; git reads them as names of commits
_NOTHING = "0" * 40
_NOBODY = {f"GIT_{role}_{field}": "headwater" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")}
_NAMES_MAX = 10
_PRIVATE_INDEX = "headwater-index"


# By the stages that the index has of a file: 1 is the base, 2 is ours, 3 is upstream's.
_HAPPENED = {
    "123": "changed by both",
    "12": "changed by us, deleted by upstream",
    "13": "deleted by us, changed by upstream",
    "23": "added by both",
    "1": "moved to another place by each",
    "2": "added by us, where upstream's change leads, too",
    "3": "added by upstream, where our change leads, too",
}


class InTheWayError(GitError):
    """Files that git does not know stand where the merge would write. Whoever runs it must move them."""


class Merged(NamedTuple):
    """A merged folder. Where both sides changed one place, its files have conflict markers.

    `conflicts` are the index entries of the files that somebody must decide on, as `git update-index --index-info`
    reads them.
    """

    tree: str
    conflicts: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Yield a line for each file that somebody must decide on, with what happened to it."""
        stages: dict[str, set[str]] = {}
        for entry in self.conflicts:
            about, path = entry.split("\t", 1)
            stages.setdefault(path, set()).add(about.split()[2])
        yield from (f"  {path}: {_HAPPENED[''.join(sorted(stages[path]))]}" for path in sorted(stages))


def merged(ours: Repository, base: str, local: str, upstream: str) -> Merged:
    """Return what the change from the tree `base` to `upstream` makes of `local`, a tree that was changed from `base`.

    Only these trees are looked at, so nothing outside of a folder is ever taken for a file that was moved out of it.
    """
    root = _commit(ours, base)
    sides = (_commit(ours, local, root), _commit(ours, upstream, root))
    try:
        for name, commit in zip(_SIDES, sides, strict=True):
            ours.run("update-ref", name, commit)
        _, told = ours.status("merge-tree", "--write-tree", "-z", "--no-messages", *_SIDES)
    finally:
        for name in _SIDES:
            ours.run("update-ref", "-d", name)
    tree, *entries = os.fsdecode(told).split("\0")
    return Merged(tree, tuple(entry for entry in entries if entry))


def _commit(ours: Repository, tree: str, *parents: str) -> str:
    options = [option for parent in parents for option in ("-p", parent)]
    return ours.text("commit-tree", tree, *options, "-m", "merging", env=_NOBODY)


@contextlib.contextmanager
def undoing(ours: Repository, tree: str, unmerged: Sequence[str] = ()) -> Iterator[None]:
    """In the `with`, index and work tree are made those of `tree`; where that fails, both are as they were before.

    `unmerged` are entries of the index in place of those that `tree` has for their paths. Signals that ask a process to
    end wait until the end of the `with`. Call it with an index and a work tree that are HEAD's. Raises InTheWayError,
    and touches nothing, where files that git does not know are in the way.
    """
    told = os.fsdecode(
        ours.run("diff-tree", "-r", "-z", "--no-renames", "--name-only", "--diff-filter=A", "HEAD", tree)
    )
    added = [path for path in told.split("\0") if path]
    _check_free(ours, added)
    _check_quiet(ours, tree)
    # The mask is the children's, too: a Ctrl-C goes to every process of the terminal, and would stop git half-way.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        _check_out(ours, tree, unmerged)
        yield
    except (OSError, GitError) as error:
        raise GitError(f"{error}; {_undone(ours, added, tree)}") from None
    finally:
        ours.path(_PRIVATE_INDEX).unlink(missing_ok=True)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _check_out(ours: Repository, tree: str, unmerged: Sequence[str]) -> None:
    """Write the files of `tree`, then the index: by way of an index of our own, for git may be killed with its lock."""
    index, private = ours.path("index"), ours.path(_PRIVATE_INDEX)
    private.unlink(missing_ok=True)
    private.with_name(f"{_PRIVATE_INDEX}.lock").unlink(missing_ok=True)
    shutil.copy(index, private)
    env = {"GIT_INDEX_FILE": str(private)}
    ours.run("read-tree", "-m", "-u", "HEAD", tree, env=env)
    paths = sorted({entry.split("\t", 1)[1] for entry in unmerged})
    lines = "".join(f"{line}\0" for line in [*(f"0 {_NOTHING}\t{path}" for path in paths), *unmerged])
    ours.run("update-index", "-z", "--index-info", stdin=os.fsencode(lines), env=env)
    lock = index.with_name("index.lock")
    lock.hardlink_to(private)  # as git does: whoever makes this file may replace the index
    lock.replace(index)


def _check_quiet(ours: Repository, tree: str) -> None:
    """Refuse where another git is at work, or where what upstream changes was edited since we looked."""
    lock = ours.path("index").with_name("index.lock")
    if lock.exists():
        raise GitError(
            f"another git is at work here, or was killed: wait for it, or remove {lock}; nothing was changed"
        )
    try:
        ours.run("read-tree", "-n", "-m", "-u", "HEAD", tree)
    except GitError as error:
        raise GitError(f"{error}; commit or stash what was edited meanwhile; nothing was changed") from None


def after_a_kill(ours: Repository) -> str:
    """Return what to add to a complaint of changes or files that a killed import may have left, or nothing."""
    if not ours.path(_PRIVATE_INDEX).exists():
        return ""
    return (
        "; an import was killed while it wrote, and may have left them: `git reset --hard` and `git clean -d` undo that"
    )


def _check_free(ours: Repository, added: list[str]) -> None:
    tracked = set(os.fsdecode(ours.run("ls-files", "-z")).split("\0"))
    above = {str(parent) for path in added for parent in pathlib.PurePosixPath(path).parents}
    blocked = [path for path in added if os.path.lexists(ours.folder / path) and not _is_tracked_folder(path, tracked)]
    blocked += [path for path in above - tracked if _is_no_folder(ours.folder / path)]
    if blocked:
        shown = ", ".join(sorted(blocked)[:_NAMES_MAX]) + (" and others" if len(blocked) > _NAMES_MAX else "")
        raise InTheWayError(
            f"git does not know these files, and upstream has some of that name: move them away: {shown}"
            f"{after_a_kill(ours)}"
        )


def _is_tracked_folder(path: str, tracked: set[str]) -> bool:
    return any(each.startswith(f"{path}/") for each in tracked)


def _is_no_folder(path: pathlib.Path) -> bool:
    return os.path.lexists(path) and (path.is_symlink() or not path.is_dir())


def _undone(ours: Repository, added: list[str], tree: str) -> str:
    """Take away what was not there, then write what was, for the disk may be full; return what to tell of it.

    Only files that `tree` has otherwise than HEAD are written: what people edit meanwhile elsewhere is theirs.
    """
    for path in added:
        with contextlib.suppress(OSError):  # it was not yet written
            (ours.folder / path).unlink()
        for parent in pathlib.PurePosixPath(path).parents[:-1]:
            with contextlib.suppress(OSError):  # it has other files
                (ours.folder / parent).rmdir()
    for name in ("MERGE_HEAD", "MERGE_MSG", "MERGE_MODE"):
        ours.path(name).unlink(missing_ok=True)
    changed = ours.run("diff-tree", "-r", "-z", "--no-renames", "--name-only", "--diff-filter=a", "HEAD", tree)
    try:
        ours.run("reset", "--quiet")
        ours.run("checkout-index", "--force", "-u", "-z", "--stdin", stdin=changed)
    except GitError as error:
        return f"and the work tree could not be restored ({error}): once there is room, `git reset --hard` does it"
    return "index and work tree are as they were"


def finish(ours: Repository, tree: str, parent: str, message: str) -> str:
    """Return the commit that merges `parent` with the result `tree`; branch, index and work tree are at it."""
    head = ours.text("rev-parse", "HEAD")
    sign = ["-S"] if ours.asked("config", "--type=bool", "commit.gpgsign") == "true" else []
    commit = ours.text("commit-tree", *sign, tree, "-p", head, "-p", parent, stdin=os.fsencode(message))
    with undoing(ours, tree):
        ours.run("update-ref", "-m", message.splitlines()[0], "HEAD", commit, head)
    return commit


def begin_merge(ours: Repository, found: Merged, parent: str, message: str) -> None:
    """Git is in the middle of merging `parent`, as after a `git merge` that met conflicts: `git commit` completes it.

    The paths of `found` are those of the repository.
    """
    with undoing(ours, found.tree, found.conflicts):
        for name, text in (("MERGE_HEAD", f"{parent}\n"), ("MERGE_MODE", "no-ff"), ("MERGE_MSG", message)):
            ours.path(name).write_bytes(os.fsencode(text))
