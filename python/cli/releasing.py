"""What `headwater release` does: hold a connector against its last release, and write the next one."""

from __future__ import annotations

import collections
import datetime as dt
import os
import pathlib
from collections.abc import Iterator, Mapping

import msgspec

from python.cli import comparing, snapshotting
from python.importing import changelog, report, snapshot_files
from python.importing.changes import connector_type, connectors
from python.importing.comparing import compare
from python.importing.releasing import Files, Release, lacking, planned
from python.importing.repository import GitError, Repository, here
from python.importing.scaffold import matrix
from python.protocol.errors import HeadwaterError

__all__ = ["Options", "Told", "release"]

_ASKED = ("spec", "discover")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`connector` is a folder's name; its last release is looked for in the history of `since`, a revision of git.

    With `check`, nothing is written. `image` is held against the folder, if given. `ask` runs the connector to see
    whether its snapshots are what it says.
    """

    connector: str
    since: str = "HEAD"
    check: bool = False
    image: str | None = None
    ask: bool = True
    network: str = "bridge"
    markdown: bool = False


class Told(msgspec.Struct, frozen=True):
    """What to print, and whether the folder is, or now is, a release."""

    text: str
    fine: bool


def release(options: Options) -> Told:
    """Check the connector of `options` and write its release, or, with `check`, say what is lacking.

    Nothing is written where a check fails. Raises HeadwaterError where the folder is no connector's.
    """
    repository = here(pathlib.Path.cwd())
    folder = _folder(repository, options.connector)
    now, last = _now(folder), _last(repository, options)
    disagreeing = list(_disagreeing(folder, options))
    if not options.check and not disagreeing:
        _write(folder, planned(now, last, dt.datetime.now(dt.timezone.utc).date().isoformat()))
        now = _now(folder)
        matrix.enlist(folder.parent, next(each for each in connectors(folder.parent) if each.name == folder.name))
    lacks = [*disagreeing, *lacking(now, last), *_unlisted(folder, now)]
    return Told("\n".join(_lines(options, now, last, lacks)), fine=not lacks)


def _folder(repository: Repository, name: str) -> pathlib.Path:
    name = name.rstrip("/")
    folder = repository.folder / name
    if connector_type(name) is None or not (folder / "pyproject.toml").is_file():
        raise HeadwaterError(
            f"{name} is no connector of {repository.folder}: want the name of a folder with a pyproject.toml, as "
            "source-x, derive-x or materialize-x"
        )
    return folder


def _now(folder: pathlib.Path) -> Files:
    snapshot = msgspec.structs.replace(snapshot_files.of_folder(folder), name=folder.name)
    pages = (_text(str(path), path.read_bytes()) if path.is_file() else "" for path in _pages(folder))
    return Files(snapshot=snapshot, changelog=next(pages), readme=next(pages))


def _text(where: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise HeadwaterError(f"{where} is no UTF-8 text: {error}") from None


def _pages(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    return folder / "CHANGELOG.md", folder / "README.md"


def _last(repository: Repository, options: Options) -> Files | None:
    """Return the folder as its last release left it: the newest commit that gave its CHANGELOG a section of a version.

    Raises SnapshotError where what that commit kept cannot be read.
    """
    name = options.connector.rstrip("/")
    path = f"{name}/CHANGELOG.md"
    if not repository.text("rev-list", "--max-count=1", "--all"):
        return None  # nothing was ever committed
    for commit in repository.text("log", "--format=%H", options.since, "--", path).split():
        page = _page(repository, commit, path)
        if _headings(page) - _headings(_page(repository, f"{commit}^", path)):
            snapshot = snapshot_files.of_revision(commit, name, repository.folder)
            return Files(snapshot=msgspec.structs.replace(snapshot, name=f"{name} at {commit[:7]}"), changelog=page)
    return None


def _page(repository: Repository, revision: str, path: str) -> str:
    try:
        content = repository.run("show", f"{revision}:{path}")
    except GitError:
        return ""  # not there, or no such commit
    return _text(f"{revision}:{path}", content)


def _headings(page: str) -> collections.Counter[str]:
    """Return how often each heading of a release is there: two of one day may have the same."""
    return collections.Counter(section.title for section in changelog.sections(page) if section.version)


def _disagreeing(folder: pathlib.Path, options: Options) -> Iterator[str]:
    """Yield where the snapshots are not what the connector says, or what the image says, a sentence each."""
    if options.ask and connector_type(folder.name) == "capture":
        changed = snapshotting.changes_of(str(folder), _ASKED, options.network, None)
        for change in changed:
            yield f"{change.told()}\nits connector says something else now: headwater snapshot {folder.name} --update"
    elif options.ask and snapshot_files.of_folder(folder).spec is not None:
        for each in comparing.asked_anew(folder, options.network).differences:
            yield f"its snapshots are not what it says: {report.sentence(each)} pytest {folder.name} --snapshot-update"
    if options.image:
        sides = comparing.Options(old=str(folder), new=options.image, network=options.network)
        for each in comparing.compared(sides).differences:
            yield f"{options.image} is not what the snapshots say: {report.sentence(each)} Build it anew"


def _write(folder: pathlib.Path, found: Release) -> None:
    """Write the release: each file whole, VERSION last, so that a release cut short is done again as it was."""
    pages = dict(zip(_pages(folder), (found.changelog, found.readme), strict=True))
    texts: Mapping[pathlib.Path, str] = {**pages, folder / "VERSION": f"{found.version}\n"}
    for path, text in texts.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            beside = path.with_name(f".{path.name}.new")
            beside.write_text(text, encoding="utf-8")
            os.replace(beside, path)  # noqa: PTH105 -- as atomic as its name says


def _unlisted(folder: pathlib.Path, now: Files) -> Iterator[str]:
    """Yield where CI would publish another version than VERSION says, or none."""
    version = matrix.listed(folder.parent, folder.name)
    if version is not None and now.snapshot.version and version != now.snapshot.version:
        has = f"has it as {version}" if version else "has no line for it"
        yield f"{matrix.WORKFLOW} {has}, and VERSION is {now.snapshot.version}: headwater release writes that line"


def _lines(options: Options, now: Files, last: Files | None, lacks: list[str]) -> Iterator[str]:
    name, version = now.snapshot.name, now.snapshot.version
    if options.markdown and last:
        yield report.as_markdown(compare(last.snapshot, now.snapshot))
        yield ""
    mark = "- " if options.markdown else "headwater: "
    yield from (f"{mark}{name}: {sentence}" for sentence in lacks)
    if lacks:
        return
    since = f"since {last.snapshot.name}" if last else "and was never released before"
    if options.check:
        yield f"{name} is {version} {since}, and its CHANGELOG, README and snapshots say so"
    elif last and changelog.sections(now.changelog) == changelog.sections(last.changelog):
        yield f"{name} is {version} {since}, and nothing of it has changed that users notice: its CHANGELOG stays"
    else:
        yield f"{name} is {version} {since}; commit what this has changed, and its release is done"
