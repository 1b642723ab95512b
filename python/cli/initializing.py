"""What `headwater init` does: makes a connector's folder out of sight, asks and proves it, and puts it in place."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Callable, Iterator, Mapping

import msgspec

from python.cli import describing
from python.importing.changes import Connector
from python.importing.scaffold import drafts, environments, in_place, matrix, proving
from python.importing.scaffold.drafts import Draft
from python.importing.scaffold.names import protocol_of, repository
from python.importing.scaffold.packages import is_folder, package
from python.importing.scaffold.workspace import Workspace, workspace
from python.protocol.errors import HeadwaterError
from python.shim_airbyte_cdk.manifest_files import manifest_at

__all__ = ["Options", "lines"]

_CAPTURES_ONLY = "{kind} are written in Python: --native is the only way to begin one"
_PLURAL = {"derive": "derivations", "materialize": "materializations"}


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`name` of the connector, and one of the four ways to make it; `requirements` are further ones of its project."""

    name: str
    airbyte: str | None = None
    singer: str | None = None
    manifest: str | None = None
    native: bool = False
    entry: str | None = None
    requirements: tuple[str, ...] = ()


def lines(options: Options) -> Iterator[str]:
    """The connector's folder is in the repository around the current folder; yields what is being done, a line each.

    Either it is whole, with an environment, and its tests have passed; or nothing is there, and HeadwaterError says
    why. Killed while the environment is made in its place, it leaves all else, and the next run says how to go on.
    """
    home = repository(pathlib.Path.cwd())
    protocol = protocol_of(options.name)
    proving.require_pytest()
    make = _way(options, protocol, home)
    found = _is_found(options, home)
    replaced = in_place.replaced(home / options.name) if found else []
    with workspace(home, options.name, found=found) as space:
        yield f"{options.name}: locking and installing what it needs"
        draft = make(space)
        yield f"{options.name}: asking it what it is, and running its tests"
        with _told_of(options.manifest, f"{options.name}/manifest.yaml"):
            told = list(describing.files(space.folder, draft, protocol))
        connector = Connector(options.name, protocol, "v1", "")
        with space.published() as folder:
            environments.activate(folder)
            listed = matrix.enlist(home, connector)
    yield from told
    if replaced:
        yield f"Upstream's {', '.join(replaced)} became ours; git has theirs, as HEAD:{options.name}/{replaced[0]}"
    if draft.lost:
        yield draft.lost
    if (folder / "Dockerfile").is_file():
        yield f"{options.name}/Dockerfile is upstream's, and build-local.sh would take it: remove it, or make it ours."
    if not listed:
        yield f"Add it to {matrix.WORKFLOW}: {matrix.line_of(connector)}"
    yield f"Wrote {options.name}/. What comes next:"
    yield from (f"  {command}" for command in _next(options.name, protocol))


def _way(options: Options, protocol: str, home: pathlib.Path) -> Callable[[Workspace], Draft]:
    """Return what makes the folder's beginning. Raises HeadwaterError for what cannot work, before anything is made."""
    given = [name for name in ("airbyte", "singer", "manifest", "native") if getattr(options, name)]
    if len(given) != 1:
        raise HeadwaterError("say what to make the connector of: one of --airbyte, --singer, --manifest and --native")
    if protocol != "capture" and not options.native:
        raise HeadwaterError(_CAPTURES_ONLY.format(kind=_PLURAL[protocol]))
    more = options.requirements
    if options.native:
        return lambda space: drafts.of_native(space.folder, more)
    if options.manifest:
        file = manifest_at(pathlib.Path(options.manifest)).path
        return lambda space: drafts.of_manifest(space.folder, file, more)
    known = package(options.airbyte or options.singer or "", home)

    def of_package(space: Workspace) -> Draft:
        if known.folder == options.name:
            return drafts.of_own(space.folder, given[0], options.entry, more)
        if known.folder:
            space.link(home, [known.folder.partition("/")[0]])
        return drafts.of_package(space.folder, given[0], known, options.entry, more)

    return of_package


def _is_found(options: Options, home: pathlib.Path) -> bool:
    """Whether what is to be wrapped stands in the connector's own folder, as an import into that has left it."""
    package = options.airbyte or options.singer or ""
    told = options.manifest or (package if is_folder(package) else "")
    place, own = pathlib.Path(told).resolve(), home / options.name
    return bool(told) and place.exists() and (place == own or own in place.parents)


@contextlib.contextmanager
def _told_of(given: str | None, copied: str) -> Iterator[None]:
    """Within, what is wrong with the copy of a manifest is told of the file that was `given`."""
    try:
        yield
    except HeadwaterError as error:
        raise HeadwaterError(str(error).replace(copied, given or copied)) from None


def _next(name: str, protocol: str) -> Iterator[str]:
    commands: Mapping[str, str] = {
        "capture": f"headwater run --source {name}/test.flow.yaml",
        "derive": f"headwater test --source {name}/test.flow.yaml",
        "materialize": f"headwater preview --source {name}/test.flow.yaml --fixture {name}/fixture.jsonl",
    }
    yield f"pytest {name}"
    yield commands[protocol]
    yield f"git add {name}"
