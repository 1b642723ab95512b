"""What `headwater compare` does: find out what each side is, get its snapshot, and tell what differs."""

from __future__ import annotations

import contextlib
import pathlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import msgspec

from python.acceptance.snapshots import Question, take
from python.cli import comparing_specs
from python.cli.revisions import exported, in_tree
from python.importing import report, snapshot_files
from python.importing.comparing import Comparison, compare
from python.importing.repository import GitError, Repository
from python.importing.snapshot_settings import settings_of
from python.importing.snapshot_texts import FOLDER, KINDS, text_of
from python.importing.snapshots import Snapshot
from python.importing.versions import verdict
from python.protocol.errors import HeadwaterError
from python.runner import engines, task_logs
from python.runner.drive import Launch
from python.runner.endpoints import Task
from python.runner.stop import Stop, until_signal
from python.shell.child import ChildError
from python.shell.outlet import Outlet

__all__ = ["Options", "asked_anew", "compared", "tell"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`old` and `new` are folders of connectors, files, `REVISION:folder` of git, or images.

    `run` asks folders anew, those of git, too, instead of reading what their tests keep; `source` is the Flow spec
    whose capture `name` has the config to ask with, by default the one that the folder's snapshots are taken with.
    Without `capture`, only spec and bindings are asked for.
    """

    old: str
    new: str
    run: bool = False
    source: str | None = None
    name: str | None = None
    network: str = "bridge"
    capture: bool = True
    form: str = "table"


# What names an image, with a registry or without: a name in small letters, and a tag or a digest.
_IMAGE = re.compile(
    r"(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?", re.ASCII
)

_FORMS: Mapping[str, Callable[[Comparison], str]] = {
    "table": report.as_table,
    "json": report.as_json,
    "markdown": report.as_markdown,
}


def tell(options: Options) -> tuple[str, bool]:
    """Return what to print, and whether VERSION was raised enough. Raises HeadwaterError where a side is none."""
    found = compared(options)
    return _FORMS[options.form](found), verdict(found).enough


def compared(options: Options) -> Comparison:
    """Return what differs between the two sides of `options`."""
    with until_signal() as stop, contextlib.ExitStack() as around:
        old, new = (_side(sides, options, (stop, around)) for sides in _both_ways(options))
    return compare(old, new)


def asked_anew(folder: pathlib.Path, network: str) -> Comparison:
    """Return what differs between the snapshots that `folder` keeps and what its connector says of itself now."""
    kept = snapshot_files.of_folder(folder)
    options = Options(old=str(folder), new=str(folder), network=network, capture=False)
    with until_signal() as stop:
        return compare(kept, _asked(kept, _question(folder, options, stop), options))


def _both_ways(options: Options) -> tuple[tuple[str, str], tuple[str, str]]:
    return (options.old, options.new), (options.new, options.old)


_Around = tuple[Stop, contextlib.ExitStack]


def _side(sides: tuple[str, str], options: Options, around: _Around) -> Snapshot:
    """Return the snapshot of the first of `sides`; a connector that is asked is asked with what the other one says.

    A name is tried as a file, a folder, a folder of a git revision that has it, and an image (decision 0072).
    """
    name, other = sides
    path = pathlib.Path(name)
    if path.is_file():
        return snapshot_files.of_file(path)
    if path.is_dir():
        kept = snapshot_files.of_folder(path)
        known = kept.spec is not None or kept.runs
        return kept if known and not options.run else _asked(kept, _question(path, options, around[0]), options)
    revision, colon, folder = name.partition(":")
    is_revision = bool(colon) and _asked_git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is not None
    if is_revision and (_asked_git("cat-file", "-t", f"{revision}:./{folder}") == "tree" or not _IMAGE.fullmatch(name)):
        return _of_revision((revision, folder), options, around)
    if colon or "@" in name:
        question = _question(pathlib.Path(other), options, around[0], image=name)
        with _told_of_both(revision, folder) if is_revision else contextlib.nullcontext():
            return _asked(Snapshot(name=name, version=_tag(name)), question, options)
    raise HeadwaterError(f"{name} is no folder, no file, no REVISION:folder of git and no image with a tag")


def _of_revision(place: tuple[str, str], options: Options, around: _Around) -> Snapshot:
    """Return the snapshot of a folder as a revision of git has it, asked anew where `options` say so."""
    revision, folder = place
    kept = snapshot_files.of_revision(revision, folder, pathlib.Path.cwd())
    if options.run:
        tree = around[1].enter_context(exported(revision, pathlib.Path.cwd()))
        own = pathlib.Path(folder)
        given = settings_of(own) if own.is_dir() else None  # what is not to be kept now was not to be kept then
        return _asked(kept, _question(tree / folder, options, around[0], given=given, tree=tree), options)
    if kept.spec is None and not kept.runs:
        raise HeadwaterError(
            f"{revision}:{folder} keeps no snapshots of spec, discover or capture under tests/snapshots; --run runs it"
        )
    return kept


def _asked_git(*arguments: str) -> str | None:
    """Return what git says in the current folder, or None where it says no, or is not there: images need none."""
    try:
        return Repository(pathlib.Path.cwd()).asked(*arguments)
    except GitError:
        return None


@contextlib.contextmanager
def _told_of_both(revision: str, folder: str) -> Iterator[None]:
    """Within, what is wrong with an image is told with the other thing that its name may have meant."""
    try:
        yield
    except HeadwaterError as error:
        raise HeadwaterError(f"{error}; nor has git's {revision} a folder {folder}, as seen from here") from None


def _tag(image: str) -> str | None:
    """Return the version that an image's tag is, or None where the tag says something else."""
    tag = image.rpartition(":")[2]
    return tag if tag.removeprefix("v").replace(".", "").isdigit() and "@" not in image else None


def _question(
    folder: pathlib.Path,
    options: Options,
    stop: Stop,
    *,
    tree: pathlib.Path | None = None,
    **members: Any,  # noqa: ANN401 -- Question's own
) -> Question:
    """Return what to ask of the connector in `folder`, which is in another work tree, if there is a `tree`."""

    def launch(task: Task) -> Launch:
        on_log = task_logs.writer(Outlet(sys.stderr, stop.ask), task, as_json=False)
        found = msgspec.structs.replace(engines.launch(task, on_log, options.network), stop=stop)
        return found if tree is None else in_tree(found, tree, folder)

    kinds = KINDS if options.capture else ("spec", "discover")
    source = pathlib.Path(options.source) if options.source else None
    return Question(folder=folder, kinds=kinds, launch=launch, source=source, name=options.name, **members)


def _asked(kept: Snapshot, question: Question, options: Options) -> Snapshot:
    """Return `kept` with what the connector of `question` says and captures now."""
    source = question.source or question.folder / question.settings.source
    if not source.is_file():
        raise HeadwaterError(
            f"a connector is asked with the config of a Flow spec, and {source} is no file: name one with --source"
        )
    reader = comparing_specs.reader_in(source, question.name)
    try:
        if reader is None:
            taken = take(question)
        else:
            launch = cast("Callable[[Task], Launch]", question.launch)  # `_question` made it, for tasks of each kind
            taken = comparing_specs.taken(reader, question.image, launch, question.settings)
    except ChildError as error:
        advice = "; to compare spec and bindings alone: --no-capture" if options.capture and reader is None else ""
        raise HeadwaterError(f"{kept.name} cannot be asked: {error}{advice}") from None
    files = {f"{FOLDER}/{name}": text_of(lines).encode() for name, lines in taken.items()}
    now = snapshot_files.of_files(kept.name, files)
    return msgspec.structs.replace(now, version=kept.version)
