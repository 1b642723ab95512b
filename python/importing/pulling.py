"""`pull_upstream.sh`: a folder of an upstream repository merged into one of ours, on the record.

An import is a merge commit. Its second parent has nothing but upstream's folder, at the place where ours has it, and
the one of the import before as its parent. Decision 0090 says why, and what happens to local edits.
"""

from __future__ import annotations

import os
import pathlib
import posixpath
import re
from collections.abc import Iterator

import msgspec

from python.importing.import_records import ImportRecord, LastImport, as_message, newest_imports, recorded_in
from python.importing.licences import check_file, checked_licence
from python.importing.merging import Merged, after_a_kill, begin_merge, finish, merged
from python.importing.repository import EMPTY_TREE, Entry, Repository, alone, here
from python.importing.upstream import Upstream, configured
from python.protocol.errors import HeadwaterError

__all__ = ["ConflictError", "Order", "RefusedError", "pull"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_IN_PROGRESS = {
    "MERGE_HEAD": "a merge is",
    "rebase-merge": "a rebase is",
    "rebase-apply": "a rebase is",
    "CHERRY_PICK_HEAD": "a cherry-pick is",
    "REVERT_HEAD": "a revert is",
}
_HOW_TO_GO_ON = (
    "mend them, `git add` them, and `git commit`, or give this command again; `git merge --abort` undoes it all"
)


class RefusedError(HeadwaterError):
    """The import cannot be made as things are, and nothing was changed. Whoever runs it must act."""


class ConflictError(HeadwaterError):
    """Upstream and we changed the same places: the merge has begun, and somebody must decide on those."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to import: the folder `prefix` (`.` is all) of `ref`, into our folder `dest`, as seen from the top of ours.

    `licence` is an SPDX expression, and `licence_path` where its text stands upstream, as seen from the top of theirs.
    `moved_from` is the prefix of the import before where upstream has moved its folder since.
    """

    remote: str
    ref: str
    prefix: str
    dest: str
    licence: str
    licence_path: str
    moved_from: str | None = None


def pull(order: Order, cwd: pathlib.Path) -> Iterator[str]:
    """Import into the repository that `cwd` is in, and yield what was done, a line at a time; it ends with a commit.

    Where upstream has nothing new, nothing is committed. Raises HeadwaterError, with nothing changed, where the import
    is refused; and ConflictError with a merge in progress, where both sides changed the same places. After that the
    same call completes it.
    """
    ours = here(cwd)
    with alone(ours):
        yield from _pull(ours, _checked(order))


def _pull(ours: Repository, order: Order) -> Iterator[str]:
    if ours.asked("rev-parse", "--verify", "--quiet", "MERGE_HEAD") is not None:
        yield _completed(ours, order)
        return
    _check_clean(ours)
    upstream = configured(ours, order.remote)
    record = _record(order, upstream, upstream.resolve(order.ref))
    last = _last(ours, record, order.moved_from)
    if last is not None and last.record.sha == record.sha and last.record.prefix == record.prefix:
        yield f"{record.dest} has commit {record.sha[:10]} of {order.remote} already: nothing to import"
        return
    text = upstream.file(record.sha, order.licence_path).decode(errors="replace")
    check_file(order.licence, text, f"{order.licence_path} of {order.remote} at {record.sha[:10]}")
    new, submodules = upstream.bring(record.sha, order.prefix)
    base = EMPTY_TREE if last is None else _base(ours, upstream, last)
    if new == base:
        yield f"nothing to import: {record.prefix} at {record.sha[:10]} is what {record.dest} was imported from"
        return
    yield from map(_left_out, submodules)
    if last is None and order.prefix != "." and not order.licence_path.startswith(f"{order.prefix}/"):
        yield f"left out: {order.licence_path} is not in {order.prefix}; most licences want a copy beside the code"
    yield _imported(ours, upstream, record, _Change(base, new, last))


_ASKED = {
    "remote": "REMOTE",
    "ref": "SOURCE_REF",
    "licence": "LICENSE_ID",
    "licence_path": "SOURCE_LICENSE_PATH",
}
_MARKS = ("-e", "^<<<<<<< LOCAL_HEAD", "-e", "^>>>>>>> UPSTREAM_HEAD")


class _Change(msgspec.Struct, frozen=True):
    """What upstream changed: trees of its folder, and the import that brought the old one, if any."""

    old: str
    new: str
    last: LastImport | None


def _checked(order: Order) -> Order:
    """Return `order` with paths and licence written in one way. Raises RefusedError where they cannot be."""
    for argument, value in (("SOURCE_REF", order.ref), ("REMOTE", order.remote)):
        if not value or value.startswith("-") or _CONTROL.search(value) or " " in value:
            raise RefusedError(f"{argument} {value!r} is no name in git")
    dest = _path("DEST_PREFIX", order.dest)
    if dest == ".":
        raise RefusedError("DEST_PREFIX is the whole repository: name a folder in it")
    return msgspec.structs.replace(
        order,
        prefix=_path("SOURCE_PREFIX", order.prefix),
        dest=dest,
        licence=checked_licence(order.licence),
        licence_path=_path("SOURCE_LICENSE_PATH", order.licence_path),
        moved_from=None if order.moved_from is None else _path("--moved-from", order.moved_from),
    )


def _path(argument: str, value: str) -> str:
    """Return `value`, a path in a repository, without slashes at the end or twice."""
    normal = posixpath.normpath(value) if value else ""
    parts = normal.split("/")
    if not normal or normal.startswith("/") or ".." in parts or _CONTROL.search(normal):
        raise RefusedError(f"{argument} {value!r} is no path inside of a repository: want one such as source-x")
    if ".git" in (part.lower() for part in parts):
        raise RefusedError(f"{argument} {value!r} is git's own folder")
    return normal


def _check_clean(ours: Repository) -> None:
    """Raise RefusedError where HEAD, index and work tree are not one, or git is in the middle of something."""
    if ours.asked("rev-parse", "--verify", "--quiet", "HEAD") is None:
        raise RefusedError("the repository has no commit yet: make a first one")
    for name, what in _IN_PROGRESS.items():
        if ours.path(name).exists():
            raise RefusedError(f"{what} in progress: `git status` says how to end it")
    told = ours.run("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames")
    changed = [line[3:] for line in os.fsdecode(told).split("\0") if line]
    if changed:
        shown = ", ".join(changed[:10])
        raise RefusedError(
            f"there are changes that are not committed: commit, stash or restore them: {shown}{after_a_kill(ours)}"
        )


def _record(order: Order, upstream: Upstream, sha: str) -> ImportRecord:
    return ImportRecord(
        remote=order.remote,
        url=upstream.recorded,
        ref=order.ref,
        sha=sha,
        prefix=order.prefix,
        dest=order.dest,
        licence=order.licence,
        licence_path=order.licence_path,
    )


def _last(ours: Repository, record: ImportRecord, moved_from: str | None) -> LastImport | None:
    """Return the import that the folder was made by, or None where there is no folder, or it was not imported."""
    if ours.subtree("HEAD", record.dest) is None:
        return None
    last = newest_imports(ours).get(record.dest)
    if last is None and ours.text("rev-parse", "--is-shallow-repository") == "true":
        raise RefusedError(
            f"{record.dest} is there, and this clone's history ends before its import: `git fetch --unshallow`"
        )
    if last is not None and last.record.prefix not in (record.prefix, moved_from):
        raise RefusedError(
            f"{record.dest} was imported from {last.record.prefix}: if upstream has moved that folder, add "
            f"--moved-from {last.record.prefix}; else import into another folder"
        )
    return last


def _base(ours: Repository, upstream: Upstream, last: LastImport) -> str:
    """Return the folder as it was last imported: from our own history, or, where that lacks it, from upstream."""
    if last.upstream is not None:
        return ours.subtree(last.upstream, last.record.dest) or EMPTY_TREE
    return upstream.bring(last.record.sha, last.record.prefix)[0]


def _left_out(submodule: Entry) -> str:
    return f"left out: {submodule.path} is a submodule; import commit {submodule.oid} from its own repository"


def _imported(ours: Repository, upstream: Upstream, record: ImportRecord, change: _Change) -> str:
    """Return what the import made of the folder: it is committed. Raises ConflictError where it is begun only."""
    local = ours.subtree("HEAD", record.dest) or EMPTY_TREE
    found = merged(ours, change.old, local, change.new)
    parent = _upstream_commit(ours, upstream, record, change)
    tree = ours.put(ours.text("rev-parse", "HEAD^{tree}"), record.dest, found.tree)
    if found.conflicts:
        placed = Merged(tree, _placed(found.conflicts, record.dest))
        begin_merge(ours, placed, parent, as_message(record))
        shown = "\n".join(placed.lines())
        raise ConflictError(f"upstream's changes and ours meet in these files:\n{shown}\n{_HOW_TO_GO_ON}")
    commit = finish(ours, tree, parent, as_message(record))
    counts = ours.text("diff", "--shortstat", f"{commit}^1", commit).strip() or "no file changed"
    return f"imported {record.dest} from {record.remote} @ {record.ref} ({record.sha[:10]}), {record.licence}: {counts}"


def _placed(entries: tuple[str, ...], dest: str) -> tuple[str, ...]:
    """Return entries for the index of a folder as those of the repository, which has the folder at `dest`."""
    return tuple(f"{about}\t{dest}/{path}" for about, path in (entry.split("\t", 1) for entry in entries))


def _upstream_commit(ours: Repository, upstream: Upstream, record: ImportRecord, change: _Change) -> str:
    """Return the commit that has upstream's folder alone, at our place, after that of the import before.

    It is dated as upstream's, and names no person: it is the sum of many people's work.
    """
    tree = ours.put(EMPTY_TREE, record.dest, change.new)
    parent = change.last.upstream if change.last is not None else None
    date = upstream.date(record.sha)
    author = {"NAME": f"{record.remote} (upstream)", "EMAIL": "upstream@localhost", "DATE": f"@{date}"}
    env = {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in author.items()}
    after = [] if parent is None else ["-p", parent]
    return ours.text("commit-tree", tree, *after, stdin=os.fsencode(as_message(record, "upstream")), env=env)


def _completed(ours: Repository, order: Order) -> str:
    """Commit the import that met conflicts, and say so. Raises ConflictError where some are left to mend."""
    message = ours.path("MERGE_MSG").read_text(errors="surrogateescape") if ours.path("MERGE_MSG").is_file() else ""
    begun = recorded_in(message)
    if begun is None or (begun.prefix, begun.dest) != (order.prefix, order.dest):
        raise RefusedError("a merge is in progress, and not of this import: `git status` says how to end it")
    pairs = [(word, getattr(begun, name), getattr(order, name)) for name, word in _ASKED.items()]
    others = [f"{word} {was}, and this call has {asked}" for word, was, asked in pairs if was != asked]
    if others:
        raise RefusedError(
            f"an import of {order.dest} is in progress that was begun with {'; '.join(others)}: complete that one "
            "first with its own arguments, or `git commit`; `git merge --abort` undoes it"
        )
    left = set(os.fsdecode(ours.run("diff", "--name-only", "-z", "--diff-filter=U")).split("\0")) - {""}
    marked = ours.asked("grep", "-l", "-z", "--cached", *_MARKS, "--", f":(literal){order.dest}")
    left |= set((marked or "").split("\0")) - {""}
    if left:
        shown = "\n".join(f"  {path}" for path in sorted(left))
        raise ConflictError(f"these files are not mended yet:\n{shown}\n{_HOW_TO_GO_ON}")
    ours.run("commit", "--quiet", "--no-edit")
    return (
        f"completed the import of {order.dest} that was in progress, upstream's commit {begun.sha[:10]}; "
        f"run it again for what {order.ref} has since"
    )
