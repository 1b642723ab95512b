"""Where each imported folder stands: which commit of upstream it is, how far behind, and what we changed since."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterator, Sequence

import msgspec

from python.importing.import_records import ImportRecord, LastImport, newest_imports, recorded_url
from python.importing.repository import GitError, Repository, alone
from python.importing.upstream import Upstream, at_url, configured
from python.protocol.errors import HeadwaterError

__all__ = ["Edits", "ImportStatus", "import_statuses", "status_lines"]

_HEADINGS = ("folder", "upstream", "at", "commit", "of", "behind", "local edits", "licence")
_HASH = re.compile(r"[0-9a-f]{4,64}")
_UNKNOWN = "unknown: fetch the remote"


class Edits(msgspec.Struct, frozen=True):
    """What we changed since the import: files, and lines of those that are text."""

    files: int
    added: int
    deleted: int


class ImportStatus(msgspec.Struct, frozen=True, kw_only=True):
    """An imported folder. `commit` is upstream's, made on `date`, an ISO date, or None where that is not known.

    `behind` counts the commits of `ref` since then that touch `prefix` upstream; where it is None, `behind_unknown`
    says why. `edits` is None where what was imported is known neither here nor by what was fetched.
    """

    folder: str
    url: str
    remote: str
    ref: str
    prefix: str
    commit: str
    date: str | None
    behind: int | None
    behind_unknown: str | None
    edits: Edits | None
    licence: str
    licence_path: str


def import_statuses(ours: Repository, folders: Sequence[str] = (), *, fetch: bool = False) -> list[ImportStatus]:
    """Return the status of each imported folder that HEAD has, or of those in `folders`, by name.

    Asks no remote but with `fetch`. Raises HeadwaterError where one of `folders` has no import, or a remote fails.
    """
    if ours.asked("rev-parse", "--verify", "--quiet", "HEAD") is None:
        raise HeadwaterError("the repository has no commit yet")
    imports = {dest: each for dest, each in sorted(newest_imports(ours).items()) if _is_there(ours, dest)}
    wanted = {name.rstrip("/").removeprefix("./") for name in folders}
    strange = sorted(name for name in wanted if not any(_is_in(dest, name) for dest in imports))
    if strange:
        raise HeadwaterError(
            f"nothing was imported into {', '.join(strange)}, as far as this clone's history goes; "
            f"folders with an import: {', '.join(imports) or 'none'}"
        )
    remotes = _remotes(ours)
    chosen = [last for dest, last in imports.items() if not wanted or any(_is_in(dest, name) for name in wanted)]
    with alone(ours) if fetch else contextlib.nullcontext():
        known = (remotes.get(last.record.url) or at_url(ours, last.record.url) for last in chosen)
        return [_status(ours, last, upstream, fetch=fetch) for last, upstream in zip(chosen, known, strict=True)]


def status_lines(found: Sequence[ImportStatus]) -> Iterator[str]:
    """Yield the lines of a table."""
    if not found:
        yield "no folder of this repository was imported"
        return
    rows = [_HEADINGS, *map(_row, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(status: ImportStatus) -> tuple[str, ...]:
    edits = status.edits
    shown = _UNKNOWN
    if edits is not None:
        shown = f"{edits.files} file{'s' * (edits.files != 1)}, +{edits.added} -{edits.deleted}"
    return (
        status.folder,
        status.url,
        status.ref,
        status.commit[:10],
        status.date or "unknown",
        str(status.behind) if status.behind is not None else str(status.behind_unknown),
        "none" if edits == Edits(0, 0, 0) else shown,
        status.licence,
    )


def _is_there(ours: Repository, dest: str) -> bool:
    try:
        return ours.subtree("HEAD", dest) is not None
    except GitError:  # a file is there now
        return False


def _is_in(dest: str, name: str) -> bool:
    return dest == name or dest.startswith(f"{name}/")


def _remotes(ours: Repository) -> dict[str, Upstream]:
    """Return our remotes, by the URLs that imports record, and by those that git uses instead of them."""
    found = [configured(ours, name) for name in ours.text("remote").split() if ours.asked("remote", "get-url", name)]
    return {recorded_url(each.url): each for each in found} | {each.recorded: each for each in found}


def _status(ours: Repository, last: LastImport, upstream: Upstream, *, fetch: bool) -> ImportStatus:
    record = last.record
    base = _base(ours, upstream, last, fetch=fetch)
    behind, unknown = _behind(upstream, record, fetch=fetch)
    return ImportStatus(
        folder=record.dest,
        url=record.url,
        remote=record.remote,
        ref=record.ref,
        prefix=record.prefix,
        commit=record.sha,
        date=_date(ours, last, upstream, fetch=fetch),
        behind=behind,
        behind_unknown=unknown,
        edits=None if base is None else _edits(ours, base, record.dest),
        licence=record.licence,
        licence_path=record.licence_path,
    )


def _base(ours: Repository, upstream: Upstream, last: LastImport, *, fetch: bool) -> str | None:
    """Return the folder as it was imported, or None where that takes asking the remote, and we must not."""
    if last.upstream is not None:
        return ours.subtree(last.upstream, last.record.dest)
    if fetch or upstream.has_folder(last.record.sha, last.record.prefix):
        return upstream.bring(last.record.sha, last.record.prefix)[0]
    return None


def _date(ours: Repository, last: LastImport, upstream: Upstream, *, fetch: bool) -> str | None:
    if last.upstream is not None:  # it is dated as upstream's
        raw = ours.text("show", "--no-patch", "--format=%cd", "--date=raw", last.upstream)
    elif fetch or upstream.has(last.record.sha):
        raw = upstream.date(last.record.sha)
    else:
        return None
    return dt.datetime.fromtimestamp(int(raw.split()[0]), dt.UTC).date().isoformat()


def _edits(ours: Repository, base: str, dest: str) -> Edits:
    """Return what differs between the tree `base` and the folder `dest` of the work tree, moved files counted once."""
    placed = ours.put(ours.text("rev-parse", "HEAD^{tree}"), dest, base)
    told = ours.text("diff", "--numstat", "--find-renames", placed, "--", f":(top,literal){dest}")
    rows = [line.split("\t") for line in told.splitlines()]
    lines = [[int(cell) if cell.isdecimal() else 0 for cell in row[:2]] for row in rows]  # "-" of a binary file
    return Edits(len(rows), sum(added for added, _ in lines), sum(deleted for _, deleted in lines))


def _behind(upstream: Upstream, record: ImportRecord, *, fetch: bool) -> tuple[int | None, str | None]:
    """Return how many commits of upstream's branch touch the folder since, or why that is not known."""
    branch = record.ref.removeprefix("refs/heads/").removeprefix(f"{record.remote}/")
    if record.sha.startswith(record.ref) and _HASH.fullmatch(record.ref):
        return None, "imported by its hash"
    if record.ref.startswith("refs/tags/"):
        return None, "imported by a tag"
    if fetch:
        if not upstream.is_branch(branch):
            return None, f"upstream has no branch {branch} (now)"
        upstream.fetch_history(branch)
    counts = [
        int(known.text("rev-list", "--count", f"{record.sha}..{tip}", "--", f":(top,literal){record.prefix}"))
        for known, tip in upstream.histories(branch)
        if record.sha in known.text("rev-list", tip).split()
    ]
    if counts:
        return max(counts), None  # the longer known, the more is known
    return None, f"{branch} does not lead there any more" if fetch else _UNKNOWN
